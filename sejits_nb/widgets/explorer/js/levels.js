// Levels of the kernel side by side: the cell, both DASTs, both PASTs, generated code, assembly.

const levelsPane = {
  id: "levels",
  title: "Levels",
  build(host, api) {
    const FIRST = ["cell", "optimised", "code"];
    let levels = [];
    let chosen = new Set(recall("levels", FIRST));
    let missed = null; // the group that was pinned while another pane was shown
    const columns = new Map(); // id -> {element, listing}
    const search = searchField(api, () => shown().map(({ id }) => columns.get(id)?.listing).filter(Boolean));
    const chips = h("div", { class: "chips", role: "group", "aria-label": "Levels shown" });
    const all = h("div", { class: "columns" });
    const foldAll = (folded) => shown().forEach(({ id }) => {
      const listing = columns.get(id)?.listing;
      if (listing && id !== "cell") code.foldAll(listing, folded);
    });
    host.append(
      h("div", { class: "bar" }, chips,
        h("span", { class: "buttons" },
          h("button", { type: "button", onclick: () => foldAll(true) }, "Fold"),
          h("button", { type: "button", onclick: () => foldAll(false) }, "Unfold")),
        search.element),
      all,
    );

    const shown = () => levels.filter(({ id }) => chosen.has(id));

    function rebuild() {
      levels = [...api.state("levels")];
      if (levels.length > 1) levels.push({ id: "assembly", title: "assembly", language: "asm" });
      if (!shown().length) chosen = new Set(FIRST);
      columns.clear();
      chips.replaceChildren(
        ...levels.map(({ id, title }) =>
          h("button", { type: "button", "aria-pressed": chosen.has(id), onclick: (e) => toggle(id, e.currentTarget) },
            title)),
      );
      draw();
    }

    function toggle(id, chip) {
      if (chosen.has(id) && shown().length === 1) return api.say("one level stays");
      if (!chosen.delete(id)) chosen.add(id);
      chip.setAttribute("aria-pressed", chosen.has(id));
      remember("levels", [...chosen]);
      draw();
    }

    function draw() {
      all.replaceChildren(...shown().map((level) => column(level).element));
      api.links.changed(host);
      search.again();
    }

    function column(level) {
      if (!columns.has(level.id)) {
        const element = h("section", { class: "column", "data-pane": level.id, "aria-label": level.title },
          h("div", { class: "title" }, level.title));
        columns.set(level.id, { element });
        if (level.lines) fill(level, level.lines);
        else fillAssembly(level);
      }
      return columns.get(level.id);
    }

    function fill(level, lines) {
      const { element } = columns.get(level.id);
      const options = { label: level.title, groups: api.state("groups") };
      if (level.numbers) options.number = (i) => level.numbers[i];
      if (level.id === "assembly") options.number = (i) => (lines[i][2] ? `C ${lines[i][2]}` : "");
      const listing = code.view(lines, level.language, options);
      columns.set(level.id, { element, listing, lines });
      element.append(listing);
      element.style.flexGrow = Math.min(Math.max(code.width(listing), 24), 64);
    }

    async function fillAssembly(level) {
      const { element } = columns.get(level.id);
      const said = h("p", { class: "note", role: "status" }, "asking the compiler …");
      element.append(said);
      try {
        const lines = await api.ask("assembly");
        if (columns.get(level.id)?.element !== element) return; // another kernel is shown by now
        said.remove();
        fill(level, lines);
        api.links.changed(host);
        search.again();
      } catch (error) {
        said.textContent = error.message;
        columns.delete(level.id); // to be asked again when it is chosen again
      }
    }

    /** A row of assembly and its line of C, whichever of them *target* is in. */
    function exact(target) {
      all.querySelectorAll(".exact").forEach((row) => row.classList.remove("exact"));
      const row = target?.closest?.(".row");
      const [made, from] = [columns.get("assembly"), columns.get("code")];
      if (!row || !made?.listing || !from?.listing) return;
      const index = (listing) => code.rows(listing).indexOf(row);
      const line = made.listing.contains(row) ? made.lines[index(made.listing)][2]
        : from.listing.contains(row) ? index(from.listing) + 1 : 0;
      if (!line) return;
      code.rows(from.listing)[line - 1]?.classList.add("exact");
      const rows = code.rows(made.listing);
      made.lines.forEach(([, , of], i) => of === line && rows[i].classList.add("exact"));
    }
    all.addEventListener("pointerover", (event) => exact(event.target));
    all.addEventListener("pointerleave", () => exact(null));
    all.addEventListener("focusin", (event) => exact(event.target));

    /** The other levels scroll to what belongs to group *n*, at once or when they are shown. */
    function follow(n, from) {
      const away = host.classList.contains("off");
      missed = away ? n : null;
      for (const { id } of away ? [] : shown()) {
        const { element, listing } = columns.get(id) ?? {};
        if (!listing || listing.contains(from)) continue;
        const counterpart = api.links.first(element, n);
        if (counterpart) code.reveal(listing, counterpart);
      }
    }

    const stops = [api.watch("levels", rebuild), api.links.on("follow", follow)];
    rebuild();
    return {
      show: () => missed && follow(missed, null),
      dispose: () => stops.forEach((stop) => stop()),
    };
  },
};

/** A field that finds text in the listings that *listings()* gives, with count, next and previous. */
function searchField(api, listings) {
  let hits = []; // [listing, row, range]
  let at = -1;
  const count = h("span", { class: "count", role: "status" });
  const input = h("input", {
    type: "search", placeholder: "Search", "aria-label": "Search the levels shown",
    oninput: () => search(), onkeydown: key,
  });
  const element = h("span", { class: "search" }, input, count,
    h("button", { type: "button", "aria-label": "Previous match", onclick: () => go(-1) }, "↑"),
    h("button", { type: "button", "aria-label": "Next match", onclick: () => go(1) }, "↓"));

  function search(jump = true) {
    hits.forEach(([, row]) => row.classList.remove("hit", "hit-now"));
    hits = listings().flatMap((listing) =>
      code.find(listing, input.value).map(([row, range]) => [listing, row, range]));
    hits.forEach(([, row]) => row.classList.add("hit"));
    // The words themselves, where the browser can mark them without touching the page.
    globalThis.CSS?.highlights?.set("sejits-search", new Highlight(...hits.map(([, , range]) => range)));
    at = -1;
    count.textContent = input.value ? hits.length ? `${hits.length} found` : "none" : "";
    if (jump && hits.length) go(1);
  }

  function go(step) {
    if (!hits.length) return;
    hits[at]?.[1].classList.remove("hit-now");
    at = (at + step + hits.length) % hits.length;
    const [listing, row] = hits[at];
    row.classList.add("hit-now");
    code.reveal(listing, row);
    count.textContent = `${at + 1} of ${hits.length}`;
  }

  function key(event) {
    if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") {
      input.value = "";
      search();
    } else return;
    event.preventDefault();
  }

  return { element, again: () => search(false) };
}
