// The pane Race your own: generated code to edit, the compiler's errors at its lines, and what became of
// each race.  The code runs in a process of its own: neither a crash nor an endless loop reaches the kernel.

const racePane = {
  id: "race",
  title: "Race your own",
  build(host, api) {
    const hint = h("p", { class: "note", id: `sejits-race-${Math.random().toString(36).slice(2)}` },
      "Tab inserts blanks; Escape and then Tab leave the editor. Edited code runs in a process of its own, " +
      "on copies of the arrays, ten seconds at most, and is never used by your calls.");
    const from = h("select", { onchange: choose });
    const race = h("button", { type: "button", class: "main", onclick: start }, "Compile, check and race");
    const stop = h("button", { type: "button", onclick: () => ask("stop race") }, "Stop");
    const undo = h("button", { type: "button", onclick: () => load(true) }, "Reset");
    const line = h("p", { class: "said" });
    const problem = h("pre", { class: "problem", role: "alert" });
    const result = h("section", { class: "result", "aria-label": "result" });
    const list = h("ol", { class: "edits" });
    const earlier = h("section", { "aria-label": "edits so far" }, h("h4", {}, "Edits so far"), list);
    const sheet = editor({ "aria-label": "code to race", "aria-describedby": hint.id }, drawBar);
    let original = ""; // what the editor began with
    let loaded = ""; // and the choice of variant that it came from
    let base = null; // the variant of the text
    let sent = null; // the text of the race that is going on
    let shown = null; // the number of the edit whose result is shown
    let known = api.state("race").edits.length;
    host.append(
      h("div", { class: "bar" }, h("label", {}, "from ", from), race, stop, undo),
      hint, sheet.element, line, problem, result, earlier,
    );

    const ask = (what, payload) =>
      api.ask(what, payload).catch((error) => {
        problem.textContent = error.message;
      });
    const generated = () => api.state("variants").filter((row) => row.origin === "generated");
    const untouched = () => sheet.text() === original;

    /** Every variant may be the start; without a choice it is the one whose levels are shown. */
    function fillFrom() {
      const before = from.value;
      const names = ["the variant in use", ...generated().map(figures.name)];
      if (names.join() === [...from.options].map((option) => option.text).join()) return; // it may be open
      from.replaceChildren(...names.map((name, i) => h("option", { value: i ? i - 1 : "" }, name)));
      from.value = Number(before) < names.length - 1 ? before : "";
    }

    function choose() {
      if (untouched()) load();
      else drawBar(); // an edit is not lost by it: Reset loads the choice
    }

    async function load(undoable = false) {
      const choice = from.value;
      const row = generated().find(choice === "" ? (one) => one.best : (one) => one.index === Number(choice));
      const code = choice === "" ? api.state("levels").at(-1) : await ask("variant", { index: row.index });
      if (!code) return;
      [original, loaded, base] = [code.lines.map(([text]) => text).join("\n"), choice, row ?? null];
      [shown, problem.textContent] = [null, ""];
      sheet.set(original, code.language, undoable);
      draw();
    }

    function start() {
      sent = sheet.text();
      [shown, problem.textContent] = [null, ""];
      sheet.mark([]);
      draw();
      ask("race", { text: sent, base: base && { platform: base.platform, config: base.config } });
    }

    async function bringBack(number) {
      const text = await ask("edited text", { number });
      if (text === undefined) return;
      [base, shown] = [api.state("race").edits[number], number];
      sheet.set(text, base.language, true);
      sheet.mark(base.errors);
      draw();
      api.say(`edit ${number + 1} is in the editor`);
    }

    const sentence = ({ verdict, said }) => [verdict, ...said].join(" · ");

    function resultOf(edit) {
      const rows = edit.rows.map(([name, time]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, time)));
      const errors = edit.errors.map(([at, column, , message]) => h("li", {}, !at ? message : h("button", {
        type: "button", onclick: () => sheet.go(at, column),
      }, `line ${at}, column ${column + 1}: ${message}`)));
      const right = edit.rows.length > 0;
      return [
        h("p", { class: right ? "verdict right" : "verdict" }, `${right ? "✔" : "✖"} ${sentence(edit)}`),
        right && h("table", {},
          h("caption", {}, "Timed in turn, in a process of their own"),
          h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "code"), h("th", { scope: "col" }, "median ± MAD"))),
          h("tbody", {}, rows)),
        errors.length > 0 && h("ul", { class: "errors" }, errors),
        edit.log && h("details", {}, h("summary", {}, "What the compiler said"), h("pre", {}, edit.log)),
      ].filter(Boolean);
    }

    function drawBar() {
      const { running } = api.state("race");
      const tuning = Boolean(api.state("progress").running);
      [race.disabled, stop.disabled] = [running || tuning, !running];
      undo.disabled = running || (untouched() && from.value === loaded);
      line.textContent = running ? "compiling, checking and racing …"
        : tuning ? "variants are being tuned: a race would disturb their times"
          : from.value !== loaded ? "edited; Reset loads the variant that you chose"
            : untouched() ? "as generated" : "edited";
    }

    function draw() {
      const { running, edits } = api.state("race");
      drawBar();
      result.replaceChildren(...(shown === null || running ? [] : resultOf(edits[shown])));
      earlier.hidden = !edits.length;
      list.replaceChildren(...edits.map((edit, number) => h("li", {}, h("button", {
        type: "button", "aria-pressed": String(number === shown), onclick: () => bringBack(number),
      }, `${sentence(edit)} (from ${figures.name(edit)})`))));
    }

    /** A race has begun or ended. */
    function update() {
      const { running, edits, problem: said } = api.state("race");
      if (!running && edits.length > known && sent !== null) {
        shown = edits.length - 1;
        if (sheet.text() === sent) sheet.mark(edits[shown].errors);
        api.say(sentence(edits[shown]));
      }
      known = edits.length;
      if (!running) sent = null;
      if (said) problem.textContent = said;
      draw();
    }

    const levelsChanged = () => loaded === "" && untouched() && load();

    fillFrom();
    load();
    const forget = [
      api.watch("race", update), api.watch("variants", fillFrom), api.watch("levels", levelsChanged),
      api.watch("progress", drawBar),
    ];
    return { show() {}, dispose: () => forget.forEach((f) => f()) };
  },
};
