// Two listings side by side, row beside row, the words that differ marked.  Changed rows carry a sign,
// so that colour is not all that says so.

const diff = (() => {
  const CONTEXT = 3;
  const FILLER = ["", 0];

  /**
   * *old* and *fresh* are rows of state.py, *blocks* those of blocks.py; *whole* leaves no equal
   * stretch out.  *titles*: of both sides.
   */
  function view(old, fresh, blocks, { languages, titles, whole = false }) {
    const left = { rows: [], extras: [] };
    const right = { rows: [], extras: [] };
    const put = (side, row, number, extra) => {
      side.rows.push(row ?? FILLER);
      side.extras.push(row ? { number, ...extra } : { sign: "", kind: "filler" });
    };
    for (const [kind, i, j, k, m, words] of blocks) {
      const count = Math.max(j - i, m - k);
      const hidden = kind === "equal" && !whole ? gap(i, j, old.length) : null;
      for (let t = 0; t < count; t++) {
        if (hidden && t === hidden[0]) {
          const text = `⋯ ${countText(hidden[1] - hidden[0], "equal line")}`;
          for (const side of [left, right]) put(side, [text, 0], "", { sign: "", kind: "gap" });
        }
        if (hidden && t >= hidden[0] && t < hidden[1]) continue;
        const [a, b] = words[t] ?? [];
        const same = kind === "equal";
        put(left, i + t < j ? old[i + t] : null, i + t + 1,
          same ? { sign: "" } : { sign: "−", kind: "removed", ranges: a, tag: "del" });
        put(right, k + t < m ? fresh[k + t] : null, k + t + 1,
          same ? { sign: "" } : { sign: "+", kind: "added", ranges: b, tag: "ins" });
      }
    }
    const sides = [column(left, languages[0], titles[0]), column(right, languages[1], titles[1])];
    keepAbreast(...sides.map((side) => side.lastChild));
    return h("div", { class: "diff" }, ...sides);
  }

  /** Each side scrolls to its own right, both down together. */
  function keepAbreast(a, b) {
    a.addEventListener("scroll", () => (b.scrollTop = a.scrollTop));
    b.addEventListener("scroll", () => (a.scrollTop = b.scrollTop));
  }

  /** Which part of an equal stretch is left out: all but a few rows beside what changed. */
  function gap(i, j, length) {
    const from = i === 0 ? 0 : CONTEXT;
    const to = j - i - (j === length ? 0 : CONTEXT);
    return to - from > 1 ? [from, to] : null;
  }

  function column({ rows, extras }, language, title) {
    const number = (i) => extras[i].number ?? "";
    const listing = code.view(rows, language, { label: title, extras, number, folds: false });
    return h("div", { class: "column", "data-pane": title }, h("div", { class: "title", title }, title), listing);
  }

  return { view };
})();
