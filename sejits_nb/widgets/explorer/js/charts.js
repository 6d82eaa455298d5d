// Charts in SVG: scales, axes, and marks that keep their place in the page while a race changes them.
// Every mark is a button: arrow keys go from one to the next, Enter or a click picks it.
const charts = (() => {
  const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#b3a400"];
  const RAMP = ["#3b528b", "#2c7f8e", "#27ad81", "#7fd34e", "#fde725"]; // viridis, dark end left out
  const SHAPES = {
    circle: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0Z",
    square: "M-4.6-4.6H4.6V4.6H-4.6Z",
    triangle: "M0-6L5.6 4.4H-5.6Z",
    diamond: "M0-6.4L6.4 0 0 6.4-6.4 0Z",
    cross: "M-5-2h3v-3h4v3h3v4h-3v3h-4v-3h-3Z",
  };
  const MOST_TICKS = 8;
  const MARGIN = { left: 64, right: 18, top: 12, bottom: 40 };

  function node(tag, attributes = {}, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  const textAt = (attributes, said) => node("text", attributes, said);

  // -- scales: value -> pixels between `from` and `to`, and the ticks

  function categories(values, from, to, text = String) {
    const width = (to - from) / Math.max(1, values.length);
    const place = (value) => from + width * (values.indexOf(value) + 0.5);
    return { place, width: Math.abs(width), ticks: values.map((v) => [place(v), text(v)]) };
  }

  function linear(values, from, to, text = String) {
    const [low, high] = extent(values, [0, 1]);
    const step = nice(Math.max((high - low) / 5 || 1, values.every(Number.isInteger) ? 1 : 0));
    const [first, last] = [Math.floor(low / step) * step, Math.ceil(high / step) * step || step];
    const place = (value) => from + (to - from) * (value - first) / (last - first);
    const count = Math.round((last - first) / step);
    const ticks = Array.from({ length: count + 1 }, (_, n) => +(first + n * step).toPrecision(12));
    return { place, width: 0, ticks: ticks.map((v) => [place(v), text(v)]) };
  }

  function logarithmic(values, from, to, text = String, base = 10) {
    const [least, most] = extent(values, [1, 10]).map(Math.log10);
    const room = Math.max(0.05 * (most - least), 0.02);
    const [low, high] = [least - room, most + room];
    const place = (value) => from + ((to - from) * (Math.log10(value) - low)) / (high - low);
    const within = (value) => Math.log10(value) >= low && Math.log10(value) <= high;
    let ticks = powers(low, high, base).filter(within);
    if (ticks.length < 2) ticks = [least, most].map((p) => +(10 ** p).toPrecision(3));
    while (ticks.length > MOST_TICKS) ticks = ticks.filter((_, n) => n % 2 === 0);
    return { place, width: 0, ticks: ticks.map((v) => [place(v), text(v)]), low: 10 ** low, high: 10 ** high };
  }

  /** Round numbers between two powers of ten: the fewer, the farther these are apart. */
  function powers(low, high, base) {
    if (base === 2) {
      const first = Math.floor(low / Math.log10(2));
      return Array.from({ length: Math.ceil((high - low) / Math.log10(2)) + 1 }, (_, n) => 2 ** (first + n));
    }
    const decades = high - low;
    const steps = decades > 2.5 ? [1] : decades > 1 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 7, 8];
    const all = Array.from({ length: Math.ceil(decades) + 2 }, (_, n) => 10 ** (Math.floor(low) + n));
    return all.flatMap((power) => steps.map((step) => +(step * power).toPrecision(3)));
  }

  function extent(values, otherwise) {
    return values.length ? [Math.min(...values), Math.max(...values)] : otherwise;
  }

  function nice(step) {
    const power = 10 ** Math.floor(Math.log10(step));
    return power * [1, 2, 5, 10].find((factor) => factor * power >= step * 0.999);
  }

  // -- a chart

  /** `onShow(key, place)` when the pointer or the focus is on a mark (null: on none), `onPick(key)`. */
  function chart(host, { label, height = 320, onShow, onPick }) {
    const svg = node("svg", { class: "chart", role: "group", "aria-label": label });
    const axes = node("g", { "aria-hidden": "true" });
    const back = node("g", { "aria-hidden": "true" });
    const front = node("g");
    const marks = new Map(); // key -> element
    let order = []; // keys from left to right
    let focused = null;
    svg.append(axes, back, front);
    host.append(svg);

    const size = () => ({ width: Math.max(320, host.clientWidth || 720), height: +svg.dataset.height });
    const area = () => {
      const { width, height } = size();
      return { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom };
    };

    function resize(pixels = height) {
      svg.dataset.height = pixels;
      const { width } = size();
      for (const [name, value] of [["width", width], ["height", pixels], ["viewBox", `0 0 ${width} ${pixels}`]]) {
        svg.setAttribute(name, value);
      }
    }

    /** Ticks of `x` below and of `y` on the left, and what they measure. */
    function drawAxes(x, y, xTitle, yTitle, left = MARGIN.left) {
      const { right, top, bottom } = area();
      axes.replaceChildren(
        ...x.ticks.map(([at]) => node("path", { class: "grid", d: `M${at} ${top}V${bottom}` })),
        ...y.ticks.map(([at]) => node("path", { class: "grid", d: `M${left} ${at}H${right}` })),
        ...x.ticks.map(([at, said]) => textAt({ x: at, y: bottom + 15, "text-anchor": "middle" }, said)),
        ...y.ticks.map(([at, said]) => textAt({ x: left - 7, y: at + 4, "text-anchor": "end" }, said)),
        node("path", { class: "axis", d: `M${left} ${top}V${bottom}H${right}` }),
        textAt({ x: (left + right) / 2, y: bottom + 33, "text-anchor": "middle", class: "axis-title" }, xTitle),
      );
      const turned = `translate(13 ${(top + bottom) / 2}) rotate(-90)`;
      if (yTitle) axes.append(textAt({ transform: turned, "text-anchor": "middle", class: "axis-title" }, yTitle));
    }

    /** Each of *wanted* is {key, x, y, d, colour, said, value, pressed, above, classes}; elements are kept by key. */
    function drawMarks(wanted) {
      const gone = new Set(marks.keys());
      for (const mark of wanted) {
        gone.delete(mark.key);
        let made = marks.get(mark.key);
        if (!made) {
          made = node("g", { role: "button", tabindex: "-1" }, node("path"));
          made.dataset.key = mark.key;
          marks.set(mark.key, made);
        }
        made.setAttribute("transform", `translate(${mark.x.toFixed(1)} ${mark.y.toFixed(1)})`);
        made.setAttribute("class", `point ${mark.classes ?? ""}`);
        made.setAttribute("aria-label", mark.said);
        made.setAttribute("aria-pressed", mark.pressed ? "true" : "false");
        made.firstChild.setAttribute("d", mark.d);
        made.style.setProperty("--colour", mark.colour);
        made.querySelector("text")?.remove();
        if (mark.value) made.append(textAt({ x: mark.value[0], y: 4 }, mark.value[1]));
        if (made.parentNode !== front) front.append(made);
      }
      for (const key of gone) {
        marks.get(key).remove();
        marks.delete(key);
      }
      const held = document.activeElement;
      for (const mark of wanted.filter(({ pressed, above }) => pressed || above)) {
        front.append(marks.get(mark.key)); // over the others
      }
      if (held && held !== document.activeElement && front.contains(held)) held.focus();
      order = [...wanted].sort((a, b) => a.x - b.x || a.y - b.y).map((mark) => mark.key);
      if (!marks.has(focused)) focused = order[0] ?? null;
      for (const [key, made] of marks) made.setAttribute("tabindex", key === focused ? "0" : "-1");
    }

    function focus(key) {
      marks.get(focused)?.setAttribute("tabindex", "-1");
      focused = key;
      marks.get(key).setAttribute("tabindex", "0");
      marks.get(key).focus();
    }

    const keyOf = (event) => {
      const key = event.target.closest?.(".point")?.dataset.key;
      return key === undefined ? null : Number(key);
    };
    function show(event) {
      const key = keyOf(event);
      if (key === null) return onShow?.(null);
      const box = marks.get(key).getBoundingClientRect(), frame = host.getBoundingClientRect();
      onShow?.(key, { x: box.left + box.width / 2 - frame.left, y: box.bottom - frame.top });
    }
    front.addEventListener("pointerover", show);
    front.addEventListener("pointerout", () => onShow?.(null));
    front.addEventListener("focusin", show);
    front.addEventListener("focusout", () => onShow?.(null));
    front.addEventListener("click", (event) => {
      const key = keyOf(event);
      if (key === null) return;
      focus(key);
      onPick?.(key);
    });
    front.addEventListener("keydown", (event) => {
      const key = keyOf(event), here = order.indexOf(key);
      if (key === null) return;
      const last = order.length - 1;
      const to = {
        ArrowRight: here + 1, ArrowDown: here + 1, ArrowLeft: here - 1, ArrowUp: here - 1,
        Home: 0, End: last, PageDown: here + 10, PageUp: here - 10,
      }[event.key];
      if (to !== undefined) focus(order[Math.min(last, Math.max(0, to))]);
      else if (event.key === "Enter" || event.key === " ") onPick?.(key);
      else if (event.key === "Escape") onShow?.(null);
      else return;
      event.preventDefault();
      event.stopPropagation(); // the notebook has keys of its own
    });

    resize();
    return { svg, back, area, resize, drawAxes, drawMarks, focus };
  }

  /** An entry of a legend: a mark and what it means. */
  function key(d, text, classes = "", colour = "currentColor") {
    const mark = node("g", { class: `point ${classes}` }, node("path", { d }));
    mark.style.setProperty("--colour", colour);
    const svg = node("svg", { class: "chart", width: 16, height: 16, viewBox: "-8 -8 16 16", "aria-hidden": "true" }, mark);
    return h("span", { class: "key" }, svg, text);
  }

  return { COLOURS, RAMP, SHAPES, key, node, categories, linear, logarithmic, extent, chart };
})();
