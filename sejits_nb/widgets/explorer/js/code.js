// A listing: rows with line number, group number, fold mark, coloured text.  Arrow keys move, Left and
// Right fold, Enter and Space pin.  Rows come in chunks, of which the browser lays out those in sight.

const code = (() => {
  const CHUNK = 50;
  const allRows = new WeakMap(); // a listing's element -> its rows
  const depth = (text) => text.length - text.trimStart().length;

  /**
   * The element of a listing.  *lines* are rows of state.py: `[text, group, ...]`, or of the cell
   * `[[text, group, groups that begin here], ...]`.  *options*: `label`; `groups`, for the cell;
   * `number(i)`, what stands before a row; `folds: false`; in a diff `extras[i]`: `{sign, kind, ranges, tag}`.
   */
  function view(lines, language, options = {}) {
    const cell = lines.some((line) => Array.isArray(line[0]) || !line.length);
    const element = h("div", {
      class: "code", role: cell ? "group" : "tree", "aria-label": options.label,
      "aria-multiselectable": cell ? null : "true", onkeydown: move, onclick: clickFold,
    });
    const html = cell ? cellRow : listingRow;
    const depths = cell ? [] : depthsOf(lines);
    const number = options.number ?? ((i) => i + 1);
    const rows = lines.map((line, i) => html(line, i, language, { ...options, number }, depths));
    const chunks = [];
    for (let i = 0; i < rows.length; i += CHUNK) {
      const some = rows.slice(i, i + CHUNK);
      chunks.push(`<div class="chunk" role="presentation" style="--rows:${some.length}">${some.join("")}</div>`);
    }
    element.innerHTML = chunks.join("");
    element.style.setProperty("--chars", lines.reduce((most, line) => Math.max(most, textOf(line, cell).length), 0));
    element.style.setProperty("--digits", lines.reduce((most, _, i) => Math.max(most, `${number(i)}`.length), 2));
    allRows.set(element, [...element.querySelectorAll(".row")]);
    element.querySelector("[tabindex]")?.setAttribute("tabindex", "0");
    return element;
  }

  const textOf = (line, cell) => (cell ? line.map(([text]) => text).join("") : line[0]);

  /** Of each row; a blank one is as deep as the next that is not. */
  function depthsOf(lines) {
    const found = lines.map(([text]) => (text.trim() ? depth(text) : -1));
    for (let i = found.length - 1; i >= 0; i--) if (found[i] < 0) found[i] = found[i + 1] ?? 0;
    return found;
  }

  const tint = (group) => (group ? ` t${(group - 1) % 7}` : "");
  const lineNumber = (i, { number }) =>
    `<span class="no" aria-hidden="true">${number(i)}</span>`;

  function listingRow([text, group], i, language, options, depths) {
    const extra = options.extras?.[i] ?? {};
    const opens = options.folds !== false && depths[i + 1] > depths[i];
    const tag = extra.tag ?? "mark";
    const stretches = (extra.ranges ?? []).map(([from, to]) => [from, to, `<${tag}>`, `</${tag}>`]);
    return (
      `<div class="row${extra.kind ? ` ${extra.kind}` : ""}${tint(group)}" role="treeitem" tabindex="-1"` +
      (text.trim() ? "" : ` aria-label="${extra.kind === "filler" ? "no" : "blank"} line"`) +
      `${group ? ` data-g="${group}" aria-selected="false"` : ""} data-d="${depths[i]}"` +
      `${opens ? ' aria-expanded="true"' : ""} aria-level="${depths[i] + 1}">` +
      lineNumber(i, options) +
      `<span class="mark">${group || ""}</span>` +
      (extra.sign === undefined ? "" : `<span class="sign">${extra.sign}</span>`) +
      `<span class="fold" aria-hidden="true"></span>` +
      `<span class="text">${syntax.html(text, language, stretches)}</span></div>`
    );
  }

  function cellRow(pieces, i, language, options) {
    let at = 0;
    const stretches = pieces.flatMap(([text, group, begins]) => {
      const from = at;
      at += text.length;
      if (!group) return [];
      // A block is tinted on its first line only, or it would colour all that it encloses.
      const tinted = options.groups[group].row === i + 1 ? tint(group) : "";
      // Numbers are no text: they are neither found nor copied.
      const numbers = begins.length ? ` data-n="${begins.join(",")}"` : "";
      const opening =
        `<span class="piece${tinted}" role="button" aria-pressed="false" tabindex="-1"` +
        ` data-g="${group}"${numbers}>`;
      return [[from, at, opening, "</span>"]];
    });
    return (
      `<div class="row" role="none">${lineNumber(i, options)}` +
      `<span class="text">${syntax.html(textOf(pieces, true), language, stretches)}</span></div>`
    );
  }

  // -- moving

  const shown = (element) =>
    [...element.querySelectorAll("[tabindex]")].filter((item) => !item.closest(".row").hidden);

  function focus(element, item) {
    element.querySelectorAll('[tabindex="0"]').forEach((old) => (old.tabIndex = -1));
    item.tabIndex = 0;
    reveal(element, item);
    item.focus({ preventScroll: true, focusVisible: true });
  }

  function move(event) {
    const element = event.currentTarget;
    const item = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || !item.matches("[tabindex]")) return;
    const items = shown(element);
    const here = items.indexOf(item);
    const tree = element.getAttribute("role") === "tree";
    let to;
    if (event.key === "Home") to = items[0];
    else if (event.key === "End") to = items.at(-1);
    else if (event.key === "PageDown") to = items[Math.min(here + 20, items.length - 1)];
    else if (event.key === "PageUp") to = items[Math.max(here - 20, 0)];
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      to = items[here + step];
      while (to && to.closest(".row") === item.closest(".row")) to = items[items.indexOf(to) + step];
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const right = event.key === "ArrowRight";
      if (!tree) to = items[here + (right ? 1 : -1)];
      else if (item.hasAttribute("aria-expanded")) fold(element, item, !right);
      else return;
    } else return;
    event.preventDefault();
    if (to) focus(element, to);
  }

  /** Scroll the listing alone, so that *item* is in sight; what it is folded into opens. */
  function reveal(element, item) {
    const row = item.closest(".row");
    if (row.hidden) unfoldAround(element, row);
    const [inside, around] = [row.getBoundingClientRect(), element.getBoundingClientRect()];
    const above = inside.top - around.top;
    if (above < 0 || above + inside.height > element.clientHeight) {
      element.scrollTop += above - element.clientHeight / 3;
    }
  }

  // -- folding, by indentation: braces of generated code are indented alike

  function clickFold(event) {
    const row = event.target.closest(".row[aria-expanded]");
    if (!row || !event.target.closest(".fold")) return;
    event.preventDefault(); // no pin
    fold(event.currentTarget, row, row.getAttribute("aria-expanded") === "true");
  }

  function fold(element, row, folded) {
    row.setAttribute("aria-expanded", !folded);
    hideFolded(element);
  }

  function foldAll(element, folded) {
    // The outermost block stays open: it is the whole function.
    const rows = [...element.querySelectorAll(".row[aria-expanded]")];
    const outermost = Math.min(...rows.map((row) => Number(row.dataset.d)));
    for (const row of rows) row.setAttribute("aria-expanded", !(folded && Number(row.dataset.d) > outermost));
    hideFolded(element);
  }

  function hideFolded(element) {
    let limit = Infinity;
    const open = new Map(); // chunk -> how many of its rows are there
    for (const row of allRows.get(element)) {
      const deep = Number(row.dataset.d);
      const hidden = deep > limit;
      if (row.hidden !== hidden) row.hidden = hidden;
      if (!hidden) limit = row.getAttribute("aria-expanded") === "false" ? deep : Infinity;
      open.set(row.parentElement, (open.get(row.parentElement) ?? 0) + !hidden);
    }
    open.forEach((rows, chunk) => {
      chunk.hidden = !rows; // one without height would be in sight, and laid out
      chunk.style.setProperty("--rows", rows);
    });
    const current = element.querySelector('[tabindex="0"]');
    if (current?.closest(".row").hidden) {
      current.tabIndex = -1;
      shown(element)[0].tabIndex = 0;
    }
  }

  function unfoldAround(element, row) {
    let deep = Number(row.dataset.d);
    const rows = allRows.get(element);
    for (const above of rows.slice(0, rows.indexOf(row)).reverse()) {
      if (Number(above.dataset.d) >= deep) continue;
      deep = Number(above.dataset.d);
      if (above.hasAttribute("aria-expanded")) above.setAttribute("aria-expanded", "true");
    }
    hideFolded(element);
  }

  // -- searching

  /** Where *text* occurs, in any case: [row, Range] in order. */
  function find(element, text) {
    const wanted = text.toLowerCase();
    const found = [];
    for (const row of wanted ? allRows.get(element) : []) {
      const body = row.querySelector(".text");
      const all = body.textContent.toLowerCase();
      for (let at = all.indexOf(wanted); at >= 0; at = all.indexOf(wanted, at + wanted.length)) {
        found.push([row, rangeOf(body, at, at + wanted.length)]);
      }
    }
    return found;
  }

  function rangeOf(body, from, to) {
    const range = new Range();
    const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
    let at = 0;
    for (let node = walker.nextNode(); node; at += node.length, node = walker.nextNode()) {
      if (at <= from && from < at + node.length) range.setStart(node, from - at);
      if (at < to && to <= at + node.length) range.setEnd(node, to - at);
    }
    return range;
  }

  return {
    view, reveal, foldAll, find,
    rows: (element) => allRows.get(element),
    /** Characters of the longest line. */
    width: (element) => Number(element.style.getPropertyValue("--chars")),
  };
})();
