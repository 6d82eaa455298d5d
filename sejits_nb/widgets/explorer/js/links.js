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
  let pinned = new Map(); // element -> how it is drawn
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
    index = null;
    hover(null);
    drawPins();
  }

  /** A group's elements by pane, in the order of the page; made when first needed. */
  function elements() {
    if (!index) {
      index = new Map();
      take(root);
    }
    return index;
  }

  function take(host) {
    for (const element of host.querySelectorAll("[data-g]")) {
      const pane = element.closest("[data-pane]") ?? root;
      if (!index.has(pane)) index.set(pane, new Map());
      const of = index.get(pane);
      const group = Number(element.dataset.g);
      if (!of.has(group)) of.set(group, []);
      of.get(group).push(element);
    }
  }

  /** What stands for group *n* in one pane: lists of its elements, or what surrounds it most closely. */
  function listsIn(of, n) {
    const lists = (inner[n] ?? []).flatMap((group) => (of.has(group) ? [of.get(group)] : []));
    if (lists.length) return [lists, false];
    const around = groups[n]?.within.findLast((group) => of.has(group));
    return [around ? [of.get(around)] : [], true];
  }

  function* members(n) {
    for (const of of elements().values()) {
      const [lists, near] = listsIn(of, n);
      for (const list of lists) for (const element of list) yield [element, near];
    }
  }

  /** The first element in *pane* (`data-pane`) that stands for group *n*. */
  function first(pane, n) {
    const of = elements().get(pane);
    const heads = of ? listsIn(of, n)[0].map(([head]) => head) : [];
    const precedes = (a, b) => a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING;
    return heads.reduce((a, b) => (precedes(a, b) ? a : b), heads[0]);
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

  /** Only what differs from the last drawing is touched: a pin may stand on a thousand rows. */
  function drawPins() {
    const now = new Map(); // element -> [pin, only surrounds, is of this very group, first in its pane]
    // The innermost of nested groups is drawn last, over the others.
    const byDepth = pins().sort((a, b) => groups[a.group].within.length - groups[b.group].within.length);
    for (const { pin, group } of byDepth) {
      for (const [element, near] of members(group)) {
        if (near && now.has(element)) continue;
        now.set(element, [pin, near, Number(element.dataset.g) === group, false]);
      }
      for (const pane of elements().keys()) if (now.has(first(pane, group))) now.get(first(pane, group))[3] = true;
    }
    for (const [element, was] of pinned) {
      if (now.has(element)) continue;
      delete element.dataset.pin;
      element.classList.remove("pin-near", "pin-first");
      if (was[2]) setState(element, false);
    }
    for (const [element, is] of now) {
      const was = pinned.get(element) ?? [];
      if (is.every((value, i) => value === was[i])) continue;
      element.dataset.pin = is[0];
      element.classList.toggle("pin-near", is[1]);
      element.classList.toggle("pin-first", is[3]);
      if (is[2] !== (was[2] ?? false)) setState(element, is[2]);
    }
    pinned = now;
    root.classList.toggle("has-pins", order.length > 0);
    tell("pins");
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
    if (element && !element.title) element.title = name(hovered);
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
    /** To be called when linked elements came into *host* (or left it) otherwise than by `attach`. */
    changed(host = root) {
      if (index) {
        for (const pane of index.keys()) if (!pane.isConnected || host.contains(pane)) index.delete(pane);
        take(host);
      }
      if (order.length) drawPins();
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
