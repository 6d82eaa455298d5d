// Every step of the trace, and what it made of the listing before.

const passesPane = {
  id: "passes",
  title: "Passes",
  build(host, api) {
    const list = h("div", { class: "steps", role: "listbox", "aria-label": "Steps", onkeydown: move });
    const detail = h("div", { class: "detail" });
    const whole = h("input", { type: "checkbox", onchange: () => draw() });
    let steps = [];
    let current = 0;
    host.append(
      h("div", { class: "bar" }, h("label", {}, whole, " equal lines too")),
      h("div", { class: "split" }, list, detail),
    );

    function rebuild() {
      steps = api.state("passes");
      // The first step that changed something is what one came to see.
      current = Math.max(0, steps.findIndex((step, i) => i && step.lines));
      list.replaceChildren(...steps.map(item));
      draw();
    }

    function item(step, i) {
      return h("div", { role: "option", tabindex: -1, "aria-selected": false, onclick: () => choose(i) },
        h("span", { class: "phase" }, `${step.phase}`),
        h("span", { class: "name" }, step.name),
        h("span", { class: "said" }, step.lines ? wording.seconds(step.seconds) : verdict(step)));
    }

    const verdict = (step) => (step.changed ? "same listing" : "no change");

    /** The listing that step *i* left behind, and in which language. */
    function after(i) {
      while (i >= 0 && !steps[i].lines) i -= 1;
      return steps[i];
    }

    function draw() {
      [...list.children].forEach((option, i) => {
        option.setAttribute("aria-selected", i === current);
        option.tabIndex = i === current ? 0 : -1;
      });
      const step = steps[current];
      if (!step) return detail.replaceChildren(h("p", { class: "note" }, "No phase has run: plain Python."));
      const before = current ? after(current - 1) : null;
      const title = `${step.name} · ${wording.seconds(step.seconds)}`;
      if (!step.lines) {
        const why = step.changed ? "the tree changed, no line of its listing" : "no change";
        detail.replaceChildren(h("p", { class: "note" }, `${step.name}: ${why}`));
      } else if (!before) {
        detail.replaceChildren(
          h("div", { class: "column", "data-pane": "step" }, h("div", { class: "title" }, title),
            code.view(step.lines, step.language, { label: title })));
      } else {
        detail.replaceChildren(
          diff.view(before.lines, step.lines, step.blocks, {
            languages: [before.language, step.language], titles: [`before`, `after ${title}`],
            whole: whole.checked,
          }));
      }
      api.links.changed(host);
    }

    function choose(i) {
      current = i;
      draw();
      api.say(`${steps[i].name}: ${steps[i].lines ? "changed" : verdict(steps[i])}`);
    }

    function move(event) {
      const last = steps.length - 1;
      const to = { ArrowDown: current + 1, ArrowUp: current - 1, Home: 0, End: last }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      choose(Math.min(Math.max(to, 0), last));
      list.children[current].focus();
    }

    const stop = api.watch("passes", rebuild);
    rebuild();
    return { show() {}, dispose: stop };
  },
};
