// An editor of code: a text area as large as its text, over the same text in colours, so that only the
// box around both scrolls.  The compiler's messages stand at the ends of their lines.

/**
 * *properties* are those of the text area; *changed* is called after each change by its user.  `mark` takes
 * messages `[line from 1, column from 0, its end, text]`; `go` brings the caret to a place.
 */
function editor(properties, changed) {
  const BLANKS = "    ";
  const area = h("textarea", {
    ...properties, spellcheck: "false", autocomplete: "off", autocapitalize: "off", wrap: "off",
    oninput: edited, onkeydown: key,
  });
  const colours = h("div", { class: "colours", "aria-hidden": "true" });
  const numbers = h("div", { class: "numbers", "aria-hidden": "true" });
  const sheet = h("div", { class: "sheet" }, numbers, colours, area);
  const element = h("div", { class: "code editor" }, sheet);
  // JupyterLab listens at the text area itself, and cancels line breaks and undo of what is in a cell.
  sheet.addEventListener("beforeinput", (event) => event.stopPropagation(), true);
  let lines = []; // as they are drawn
  let marks = [];
  let language = "c";
  let leaving = false; // Escape was the last key: Tab goes to the next control

  /** Another text; where the user asked for it (*undoable*), the browser's undo brings the last one back. */
  function set(text, of, undoable) {
    language = of;
    if (undoable) {
      area.focus({ preventScroll: true });
      area.select();
      document.execCommand("insertText", false, text);
      area.setSelectionRange(0, 0);
    } else area.value = text;
    mark([]);
    element.scrollTo(0, 0);
  }

  function mark(found) {
    marks = found;
    lines = area.value.split("\n");
    colours.innerHTML = lines.map(row).join("");
    measure();
  }

  function edited() {
    const now = area.value.split("\n");
    const most = Math.min(now.length, lines.length);
    let top = 0;
    while (top < most && now[top] === lines[top]) top += 1;
    let bottom = 0;
    while (bottom < most - top && now.at(-1 - bottom) === lines.at(-1 - bottom)) bottom += 1;
    const below = lines.length - bottom;
    // A message moves with its line, and goes with a change of it.
    marks = marks.flatMap(([line, ...rest]) =>
      line <= top ? [[line, ...rest]] : line > below ? [[line + now.length - lines.length, ...rest]] : []);
    const next = colours.children[below];
    [...colours.children].slice(top, below).forEach((old) => old.remove());
    const fresh = now.slice(top, now.length - bottom).map((line, i) => row(line, top + i)).join("");
    if (next) next.insertAdjacentHTML("beforebegin", fresh);
    else colours.insertAdjacentHTML("beforeend", fresh);
    lines = now;
    measure();
    changed();
  }

  function measure() {
    area.setAttribute("aria-invalid", String(marks.length > 0));
    const wrong = new Set(marks.map(([line]) => line));
    const said = lines.map((_, i) => (wrong.has(i + 1) ? `✖ ${i + 1}` : i + 1)).join("\n");
    if (numbers.textContent !== said) numbers.textContent = said;
    // Not by custom properties: every coloured word would inherit them anew.
    const widest = lines.reduce((most, line) => Math.max(most, line.length), 0);
    sheet.style.height = `${18 * (lines.length + 1)}px`;
    sheet.style.width = `calc(${widest + 2}ch + 4em)`;
  }

  function row(line, i) {
    const told = marks.filter(([at]) => at === i + 1);
    const under = told.slice(0, 1).map(([, from, to]) => [from, to, "<u>", "</u>"]);
    const messages = escapeHtml(told.map((one) => one[3]).join(" · "));
    return `<div class="line${told.length ? " wrong" : ""}">${syntax.html(line, language, under)}`
      + `${told.length ? `<span class="told">✖ ${messages}</span>` : ""}</div>`;
  }

  function go(line, column) {
    const at = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + column;
    area.focus({ preventScroll: true });
    area.setSelectionRange(at, at);
    colours.children[line - 1]?.scrollIntoView({ block: "nearest" });
  }

  function key(event) {
    if (event.key === "Tab" && !event.shiftKey && !leaving) {
      event.preventDefault();
      const column = area.selectionStart - area.value.lastIndexOf("\n", area.selectionStart - 1) - 1;
      document.execCommand("insertText", false, BLANKS.slice(column % BLANKS.length));
    }
    leaving = event.key === "Escape";
  }

  return { element, text: () => area.value, set, mark, go };
}
