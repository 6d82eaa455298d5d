// The linking store: what belongs to a group, is pointed at, is pinned.  An element takes part by
// `attach(element, group)`.  A group marks all that lies in it; where a pane has nothing of it, the
// nearest thing around it there is marked "near".

const PINS = 6;
const PIN_COLOURS = ["#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#0072b2", "#d55e00"]; // Okabe, Ito

function createLinks(root, say) {
  let groups = [];
  let inner = []; // group -> those inside it, itself first
  let index = null; // pane -> group -> elements
  let hovered = null;
  let marked = [];
  let pinned = [];
  let slots = []; // group of each pin; 0: free
  let order = []; // groups in the order in which they were pinned
  const listeners = { hover: new Set(), pins: new Set(), follow: new Set() };
  const tell = (event, ...values) => listeners[event].forEach((f) => f(...values));

  function setGroups(now) {
    groups = now;
    inner = now.map((_, n) => [n]);
    now.forEach((group, n) => group?.within.forEach((around) => inner[around].push(n)));
    slots = Array(PINS).fill(0);
    order = [];
    [index, hovered, marked, pinned] = [null, null, [], []];
    tell("pins");
  }

  /** A group's elements by pane; made when first needed, since panes come and go. */
  function elements() {
    if (index) return index;
    index = new Map();
    for (const element of root.querySelectorAll("[data-g]")) {
      const pane = element.closest("[data-pane]") ?? root;
      if (!index.has(pane)) index.set(pane, new Map());
      const of = index.get(pane);
      const group = Number(element.dataset.g);
      if (!of.has(group)) of.set(group, []);
      of.get(group).push(element);
    }
    return index;
  }

  /** Everything of group *n* in one pane: [element, whether it only surrounds the group]. */
  function* membersIn(of, n) {
    let some = false;
    for (const group of inner[n] ?? []) {
      for (const element of of.get(group) ?? []) {
        some = true;
        yield [element, false];
      }
    }
    const around = some ? undefined : groups[n]?.within.findLast((group) => of.has(group));
    for (const element of of.get(around) ?? []) yield [element, true];
  }

  function* members(n) {
    for (const of of elements().values()) yield* membersIn(of, n);
  }

  function hover(n) {
    if (n === hovered) return;
    hovered = n;
    for (const element of marked) element.classList.remove("on", "near");
    marked = [];
    for (const [element, near] of n ? members(n) : []) {
      element.classList.add(near ? "near" : "on");
      marked.push(element);
    }
    tell("hover", n);
  }

  function drawPins() {
    for (const element of pinned) {
      delete element.dataset.pin;
      element.classList.remove("pin-near", "pin-first");
      setState(element, false);
    }
    pinned = [];
    // The innermost of nested groups is drawn last, over the others.
    const byDepth = pins().sort((a, b) => groups[a.group].within.length - groups[b.group].within.length);
    for (const { pin, group } of byDepth) {
      for (const [element, near] of members(group)) {
        element.dataset.pin = pin;
        element.classList.toggle("pin-near", near);
        setState(element, Number(element.dataset.g) === group);
        pinned.push(element);
      }
      for (const pane of elements().keys()) first(pane, group)?.classList.add("pin-first");
    }
    root.classList.toggle("has-pins", order.length > 0);
    tell("pins");
  }

  /** The first element of group *n* in *pane* (`data-pane`), or what surrounds it most closely. */
  function first(pane, n) {
    const found = [...membersIn(elements().get(pane) ?? new Map(), n)].map(([element]) => element);
    return found.reduce((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_PRECEDING ? b : a), found[0]);
  }

  const setState = (element, on) =>
    element.setAttribute(element.getAttribute("role") === "treeitem" ? "aria-selected" : "aria-pressed", on);

  /** Give group *n* the lowest free pin (the oldest one's if none is), or take its pin away. */
  function pin(n, from = null) {
    if (!groups[n]) return;
    const old = slots.indexOf(n);
    if (old >= 0) {
      slots[old] = 0;
      order = order.filter((group) => group !== n);
      say(`pin ${old + 1} removed`);
    } else {
      if (order.length === PINS) slots[slots.indexOf(order.shift())] = 0;
      const free = slots.indexOf(0);
      slots[free] = n;
      order.push(n);
      say(`pin ${free + 1}: ${name(n)}`);
    }
    drawPins();
    if (old < 0) tell("follow", n, from);
  }

  const name = (n) => `line ${groups[n].line}: ${groups[n].snippet}`;
  const pins = () =>
    slots.flatMap((group, i) => (group ? [{ pin: i + 1, group, colour: PIN_COLOURS[i] }] : []));

  function attach(element, n) {
    element.dataset.g = n;
    if (!element.hasAttribute("role")) {
      element.setAttribute("role", "button");
      element.setAttribute("aria-pressed", "false");
    }
    if (!element.hasAttribute("tabindex")) element.tabIndex = 0;
    index = null;
  }

  const linked = (event) => event.target.closest?.("[data-g]");
  root.addEventListener("pointerover", (event) => {
    const element = linked(event);
    hover(element ? Number(element.dataset.g) : null);
  });
  root.addEventListener("pointerleave", () => hover(null));
  root.addEventListener("focusin", (event) => {
    const element = linked(event);
    if (!element || !element.matches(":focus-visible")) return;
    hover(Number(element.dataset.g));
    tell("follow", hovered, element);
  });
  root.addEventListener("click", (event) => {
    const element = linked(event);
    if (!element || event.defaultPrevented || String(getSelection())) return;
    pin(Number(element.dataset.g), element);
  });
  root.addEventListener("keydown", (event) => {
    const element = event.target.matches?.("[data-g]") ? event.target : null;
    if (!element || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    pin(Number(element.dataset.g), element);
  });

  return {
    attach, first, hover, pin, pins, name, setGroups,
    /** To be called after elements with groups came or went otherwise than by `attach`. */
    changed() {
      index = null;
      drawPins();
    },
    clear() {
      slots.fill(0);
      order = [];
      drawPins();
      say("no pins");
    },
    /** *event* is "hover" (f(group or null)), "pins" (f()) or "follow" (f(group, element)). */
    on(event, f) {
      listeners[event].add(f);
      return () => listeners[event].delete(f);
    },
    colourOf: (pin) => PIN_COLOURS[pin - 1],
  };
}
