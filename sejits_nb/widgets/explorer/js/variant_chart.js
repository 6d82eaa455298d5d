// The variants as points or bars, with the legend and the tip that says what is pointed at.

const BAR_PIXELS = 20;
const BAR_LABEL_PIXELS = 330;
const BAR_VALUE_PIXELS = 60;
const POINTS_PIXELS = 330;

function variantChart(onPick) {
  const tip = h("div", { class: "tip", hidden: true, "aria-hidden": "true" });
  const legend = h("div", { class: "legend" });
  const scroller = h("div", { class: "scroller" });
  const frame = h("div", { class: "frame" }, scroller, tip);
  let byIndex = new Map();
  const chart = charts.chart(scroller, { label: "variants", onShow: show, onPick });

  function show(index, at) {
    const row = byIndex.get(index);
    tip.hidden = !row;
    if (!row) return;
    const facts = figures.sentence(row).split(", ");
    tip.replaceChildren(h("b", {}, facts[0]), ...facts.slice(1).map((fact) => h("div", {}, fact)));
    const left = Math.min(at.x, Math.max(0, frame.clientWidth - tip.offsetWidth - 4));
    tip.style.transform = `translate(${left}px, ${at.y + 6}px)`;
  }

  const classes = (row, best, picked) =>
    [row.index === best && "best", row.origin === "edited" && "edited",
     row.index === picked && "picked-point"].filter(Boolean).join(" ");

  function points({ rows, all, x, y, colour, best, picked }) {
    chart.resize(POINTS_PIXELS);
    const { left, right, top, bottom } = chart.area();
    const across = figures.scaleOf(x, all, left, right);
    const up = figures.scaleOf(y, all, bottom, top);
    chart.drawAxes(across, up, x.title, y.title);
    const shape = figures.shapes(all), tint = figures.colours(colour, all);
    const placed = rows.filter((row) => x.of(row) != null && y.of(row) != null);
    chart.drawMarks(placed.map((row) => ({
      key: row.index,
      x: across.place(x.of(row)) + spreadIn(across, row),
      y: up.place(y.of(row)) + spreadIn(up, row),
      d: shape.of(row), colour: tint.of(row), said: figures.sentence(row),
      pressed: row.index === picked, classes: classes(row, best, picked),
    })));
    return [placed.length, shape, tint];
  }

  /** Variants of one category side by side, each always in the same place. */
  const spreadIn = (scale, row) =>
    scale.width ? ((row.index * 0.618034) % 1 - 0.5) * 0.7 * Math.min(scale.width, 120) : 0;

  function bars({ rows, all, y, colour, best, picked }) {
    const placed = rows.filter((row) => y.of(row) != null);
    const down = y.id === "median_s" ? 1 : -1; // the better ones above
    if (!y.values) placed.sort((a, b) => down * (y.of(a) - y.of(b)));
    chart.resize(placed.length * BAR_PIXELS + 60);
    const { right, top, bottom } = chart.area();
    const most = Math.max(0, ...all.map(y.of).filter((v) => typeof v === "number"));
    const across = y.values ? figures.scaleOf(y, all, BAR_LABEL_PIXELS, right - BAR_VALUE_PIXELS)
      : charts.linear([0, most], BAR_LABEL_PIXELS, right - BAR_VALUE_PIXELS, y.text);
    const place = (n) => top + (n + 0.5) * BAR_PIXELS;
    const nameOf = figures.shortNames(all);
    const ticks = placed.map((row, n) => [place(n), nameOf(row)]);
    chart.drawAxes(across, { ticks }, y.title, "", BAR_LABEL_PIXELS);
    const shape = figures.shapes(all), tint = figures.colours(colour, all);
    chart.drawMarks(placed.map((row, n) => {
      const length = across.place(y.of(row)) - BAR_LABEL_PIXELS;
      return {
        key: row.index, x: BAR_LABEL_PIXELS, y: place(n), d: `M0-6H${length.toFixed(1)}V6H0Z`,
        colour: tint.of(row), said: figures.sentence(row), value: [length + 6, y.text?.(y.of(row)) ?? ""],
        pressed: row.index === picked, classes: classes(row, best, picked),
      };
    }));
    return [placed.length, null, tint];
  }

  function drawLegend(shape, tint, { colour, rows }) {
    const { square, circle } = charts.SHAPES;
    const tinted = tint.legend.length > 1 ? tint.legend : [];
    legend.replaceChildren(
      ...(shape?.legend ?? []).map(([d, text]) => charts.key(d, text)),
      charts.key(circle, "ringed: the best", "best", "transparent"),
      ...(rows.some((row) => row.origin === "edited") ? [charts.key(circle, "hollow: edited", "hollow")] : []),
      ...(tinted.length ? [h("i", {}, `${colour.title}:`)] : []),
      ...tinted.map(([fill, text]) => charts.key(square, text, "", fill)),
    );
  }

  /** Draws `{rows, all, x, y, colour, asBars, best, picked}`; says how many have a place. */
  function draw(view) {
    byIndex = new Map(view.rows.map((row) => [row.index, row]));
    const [count, shape, tint] = view.asBars ? bars(view) : points(view);
    drawLegend(shape, tint, view);
    return count;
  }

  return { element: h("div", {}, frame, legend), draw, focus: chart.focus };
}
