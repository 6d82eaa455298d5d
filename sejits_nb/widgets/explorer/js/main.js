// The explorer: tabs over panes, the pins, and what panes use of the kernel (`api`).

const PANES = [levelsPane, passesPane, variantsPane, rooflinePane, racePane];

const SILENCE_MS = 2000;
const UNHEARD = "No kernel has answered yet. It is busy; or this explorer was saved, and its cell has to run "
  + "again for assembly, code of variants, and races.";

/** Questions to the kernel: each has its own promise, answered by a message with the same id. */
function asker(model) {
  const mine = Math.random().toString(36).slice(2); // of this view: every view gets every message
  const waiting = new Map();
  let count = 0;
  const hear = (message) => {
    const [resolve, reject] = waiting.get(message?.id) ?? [];
    if (!resolve) return;
    waiting.delete(message.id);
    if ("error" in message) reject(new Error(message.error));
    else resolve(message.answer);
  };
  model.on("msg:custom", hear);
  return {
    ask: (what, payload = {}) =>
      new Promise((resolve, reject) => {
        const id = `${mine}-${(count += 1)}`;
        waiting.set(id, [resolve, reject]);
        model.send({ ...payload, id, ask: what });
      }),
    stop: () => model.off("msg:custom", hear),
  };
}

/**
 * Jupyter brings a question to the thread that last answered: at first that is the main one, where it
 * waits for a cell that runs.  A few greetings, and the thread of the widgets answers, where there is one.
 */
function greet(ask, tell, miss) {
  let [wait, timer] = [100, 0];
  const silence = setTimeout(() => miss(true), SILENCE_MS);
  const once = () => ask("hello").then((beside) => {
    clearTimeout(silence);
    miss(false);
    tell(beside);
    if (!beside && wait < 5000) timer = setTimeout(once, (wait *= 2));
  });
  once();
  return () => {
    wait = Infinity;
    clearTimeout(timer);
    clearTimeout(silence);
  };
}

/** Light or dark is what the host's text colour says, whatever the host is. */
function watchTheme(root) {
  const look = () => {
    const [r, g, b] = getComputedStyle(root).color.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0];
    root.classList.toggle("dark", 0.2126 * r + 0.7152 * g + 0.0722 * b > 127);
  };
  const changed = new MutationObserver(() => requestAnimationFrame(look));
  for (const element of [document.documentElement, document.body]) {
    changed.observe(element, { attributes: true });
  }
  const laidOut = new ResizeObserver(look); // first of all when it comes into the page
  laidOut.observe(root);
  return () => [changed, laidOut].forEach((observer) => observer.disconnect());
}

const whenIdle = globalThis.requestIdleCallback ?? ((f) => setTimeout(f, 100));

/** JupyterLab and Notebook 7 leave keys alone that go to such an element; one around it is not enough. */
function keepKeys({ target }) {
  target.setAttribute("data-lm-suppress-shortcuts", "true");
}

function pinBar(api) {
  const bar = h("div", { class: "pins", role: "group", "aria-label": "Pins", tabindex: -1 });
  const draw = () => {
    const pins = api.links.pins();
    const held = bar.contains(document.activeElement);
    bar.replaceChildren(
      ...pins.map(({ pin, group }) =>
        h("button", {
          type: "button", class: "pin", "data-pin": pin, title: "Remove this pin",
          onclick: () => api.links.pin(group),
        }, h("b", {}, `${pin}`), ` ${api.links.name(group)} ×`)),
      ...(pins.length > 1 ? [h("button", { type: "button", onclick: () => api.links.clear() }, "Remove all")] : []),
      ...(pins.length ? [] : [h("span", { class: "note" },
        "Point at a line to see its counterparts; click it, or press Enter, to pin them.")]),
    );
    if (held) (bar.querySelector("button") ?? bar).focus();
  };
  draw();
  return [bar, api.links.on("pins", draw)];
}

function render({ model, el }) {
  const root = h("div", { class: "sejits-explorer", onfocusin: keepKeys });
  const live = h("div", { class: "unseen", "aria-live": "polite" });
  const { ask, stop: stopAsking } = asker(model);
  const say = (text) => (live.textContent = text);
  const api = {
    ask, say, code: code.view, diff: diff.view, links: createLinks(root, say), remember, recall,
    state: (name) => model.get(name),
    watch(name, f) {
      const tell = () => f(model.get(name));
      model.on(`change:${name}`, tell);
      return () => model.off(`change:${name}`, tell);
    },
  };
  // Before any pane hears of new levels: their rows have the new groups.
  const stops = [stopAsking, api.watch("groups", api.links.setGroups)];
  api.links.setGroups(api.state("groups"));

  const title = h("strong", {}, api.state("title"));
  stops.push(api.watch("title", (text) => (title.textContent = text)));
  const tabs = h("div", { class: "tabs", role: "tablist", "aria-label": "Explorer", onkeydown: move });
  const [bar, stopBar] = pinBar(api);
  stops.push(stopBar);
  const unheard = h("p", { class: "note", role: "status" });
  root.append(h("div", { class: "head" }, title, tabs), unheard, bar);

  const built = new Map(); // pane -> what its build gave
  const view = Math.random().toString(36).slice(2); // a notebook may show one explorer twice
  const id = (pane, what) => `sejits-${view}-${pane.id}-${what}`;
  const parts = PANES.map((pane) => {
    const panel = h("div", {
      class: `pane ${pane.id}`, role: "tabpanel", id: id(pane, "panel"), "aria-labelledby": id(pane, "tab"),
    });
    const tab = h("button", {
      type: "button", role: "tab", id: id(pane, "tab"), "aria-controls": id(pane, "panel"),
      "aria-selected": "false", tabindex: -1, onclick: () => choose(pane),
    }, pane.title);
    tabs.append(tab);
    root.append(panel);
    return { pane, panel, tab };
  });
  root.append(live);

  function build(pane, panel) {
    if (!built.has(pane)) built.set(pane, pane.build(panel, api));
    return built.get(pane);
  }

  function choose(wanted) {
    for (const { pane, panel, tab } of parts) {
      const on = pane === wanted;
      tab.setAttribute("aria-selected", on);
      tab.tabIndex = on ? 0 : -1;
      panel.classList.toggle("off", !on);
      if (on) build(pane, panel).show();
    }
  }

  /** The other panes are made when nothing else is to do, so that they open at once. */
  function prepare() {
    const next = parts.find(({ pane }) => !built.has(pane));
    if (!next || !root.isConnected) return;
    build(next.pane, next.panel).prepare?.();
    whenIdle(prepare);
  }

  function move(event) {
    const here = parts.findIndex(({ tab }) => tab === event.target);
    const last = parts.length - 1;
    const to = {
      ArrowRight: here === last ? 0 : here + 1, ArrowLeft: here === 0 ? last : here - 1, Home: 0, End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(parts[to].pane);
    parts[to].tab.focus();
  }

  el.append(root);
  stops.push(watchTheme(root));
  choose(PANES[0]);
  const seen = new IntersectionObserver(() => whenIdle(prepare));
  seen.observe(root);
  stops.push(() => seen.disconnect());
  stops.push(greet(ask, (beside) => (root.dataset.answered = beside ? "beside cells" : "between cells"),
    (missing) => (unheard.textContent = missing ? UNHEARD : "")));
  return () => {
    stops.forEach((stop) => stop());
    built.forEach((pane) => pane.dispose());
    root.remove();
  };
}

export default { render };
