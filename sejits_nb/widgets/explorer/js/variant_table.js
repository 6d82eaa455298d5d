// The table twin of the variants' chart, and the list of what failed.

/** All variants shown, the fastest first, folded; its rows are made when it is opened. */
function variantTable(onPick) {
  const heads = ["variant", "median ± MAD", "speedup", "of roof", "bound", "verdict"];
  const body = h("tbody");
  const summary = h("summary");
  const box = h("details", { class: "twin", ontoggle: fill }, summary,
    h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))), body));
  let shown = [];
  let picked = null;

  function row(v) {
    const verdict = [v.origin === "edited" && "edited", v.verdict, v.best ? "best" : v.tie && "tie"];
    const name = h("button", { type: "button", "aria-pressed": String(v.index === picked),
                               onclick: () => onPick(v.index) }, figures.name(v));
    const cells = [wording.spread(v.median_s, v.mad_s), wording.times(v.speedup),
                   wording.share(v.roof_fraction), v.bound ?? "", verdict.filter(Boolean).join(", ")];
    return h("tr", {}, h("th", { scope: "row" }, name), cells.map((cell) => h("td", {}, cell)));
  }

  function fill() {
    if (!box.open) return;
    const held = document.activeElement;
    const place = [...body.querySelectorAll("button")].indexOf(held);
    const ranked = [...shown].sort((a, b) => (a.median_s ?? Infinity) - (b.median_s ?? Infinity));
    body.replaceChildren(...ranked.map(row));
    if (place >= 0) body.querySelectorAll("button")[place]?.focus();
  }

  return {
    element: box,
    draw(rows, pick) {
      [shown, picked] = [rows, pick];
      summary.textContent = `Table of ${countText(rows.length, "variant")}`;
      fill();
    },
  };
}

/** What was disqualified, each with its reason; not there where nothing was. */
function failureList(onPick) {
  const list = h("ul");
  const summary = h("summary");
  const box = h("details", { class: "failures" }, summary, list);
  return {
    element: box,
    draw(rows) {
      const failed = rows.filter((v) => !["correct", "unchecked"].includes(v.verdict));
      box.hidden = !failed.length;
      summary.textContent = `${failed.length} failed`;
      list.replaceChildren(...failed.map((v) => h("li", {},
        h("button", { type: "button", onclick: () => onPick(v.index) }, figures.name(v)),
        h("span", {}, ` ${v.verdict}: `), h("code", {}, v.reason || "no reason given"))));
    },
  };
}
