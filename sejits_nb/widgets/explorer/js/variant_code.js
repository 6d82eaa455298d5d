// The variant that was picked: its figures, what bounds it, its code, alone or beside another one's.

function variantCode(api) {
  const head = h("h4");
  const facts = h("p");
  const listing = h("div", { "data-pane": "variant" });
  const beside = h("select", { onchange: draw });
  const box = h("section", { class: "picked", hidden: true, "aria-label": "variant picked" },
    head, facts, h("label", {}, "beside ", beside), listing);
  let row = null;
  let rows = [];
  let asked = 0;

  function show(picked, all) {
    [row, rows] = [picked, all];
    box.hidden = !row;
    if (!row) return listing.replaceChildren();
    head.textContent = figures.name(row);
    const said = [figures.sentence(row).split(", ").slice(1).join(" · "), row.words, row.advice, row.reason];
    facts.replaceChildren(...said.filter(Boolean).map((text) => h("span", {}, text)));
    const before = beside.value;
    const others = rows.filter((other) => other.index !== row.index);
    const mark = (other) => (other.best ? " (best)" : other.index === 0 ? " (first tried)" : "");
    beside.replaceChildren(h("option", { value: "" }, "nothing"),
      ...others.map((other) => h("option", { value: other.index }, figures.name(other) + mark(other))));
    beside.value = others.some((other) => String(other.index) === before) ? before : "";
    draw();
  }

  async function draw() {
    const mine = (asked += 1);
    const other = beside.value === "" ? null : rows[Number(beside.value)];
    listing.setAttribute("aria-busy", "true");
    let made;
    try {
      made = other ? await difference(other, row) : await alone(row);
    } catch (error) {
      made = h("p", { class: "problem", role: "alert" }, error.message);
    }
    if (mine !== asked) return; // another one was picked meanwhile
    listing.replaceChildren(made);
    listing.removeAttribute("aria-busy");
    api.links.changed();
  }

  async function alone({ index }) {
    const { lines, language, title } = await api.ask("variant", { index });
    return api.code(lines, language, { label: `${title} of ${figures.name(row)}` });
  }

  async function difference(other, { index }) {
    const { old, fresh, blocks, languages } = await api.ask("difference", { index, beside: other.index });
    if (blocks.every(([kind]) => kind === "equal")) return h("p", {}, "Both have the same code.");
    return api.diff(old, fresh, blocks, { languages, titles: [other, row].map(figures.name) });
  }

  return { element: box, show };
}
