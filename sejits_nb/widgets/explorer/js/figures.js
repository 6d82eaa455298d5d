// What a variant can be placed and coloured by: its figures, its platform, its knobs.
const figures = (() => {
  const NONE = "none";
  const FIGURES = [
    { id: "order", title: "order of trying", of: (r) => r.index + 1, scale: charts.linear,
      text: wording.count },
    { id: "median_s", title: "median time", of: (r) => r.median_s, scale: charts.logarithmic,
      text: wording.seconds },
    { id: "speedup", title: "speedup over the plain Python", of: (r) => r.speedup,
      scale: charts.logarithmic, text: wording.times },
    { id: "roof_fraction", title: "share of the measured roof", of: (r) => r.roof_fraction,
      scale: charts.linear, text: wording.share },
  ];

  const valueOf = (name) => (row) =>
    name === "platform" ? row.platform : (row.config[name] ?? NONE);

  /** Every value that the platform (first) and each knob take in *rows*, in order. */
  function choices(rows) {
    const names = new Set(rows.flatMap((row) => Object.keys(row.config)));
    return ["platform", ...names].map((name) => {
      const values = [...new Set(rows.map(valueOf(name)))];
      const number = (v) => (v === NONE ? -1 : Number(v));
      const numbers = values.every((v) => v === NONE || typeof v === "number");
      values.sort(numbers ? (a, b) => number(a) - number(b) : undefined);
      return { id: name, title: name, of: valueOf(name), values, scale: charts.categories };
    });
  }

  /** What can be chosen for an axis: figures that are known, knobs that differ. */
  function dimensions(rows) {
    const known = FIGURES.filter((f) => rows.some((row) => f.of(row) != null));
    return [...known, ...choices(rows).filter((c) => c.values.length > 1)];
  }

  /** The scale of *dimension* over *rows*, between two pixels. */
  function scaleOf(dimension, rows, from, to) {
    if (dimension.values) return charts.categories(dimension.values, from, to);
    const values = rows.map(dimension.of).filter((v) => v != null);
    const shown = dimension.scale === charts.linear ? [0, ...values] : values;
    return dimension.scale(shown, from, to, dimension.text);
  }

  /** `of(row)`: its colour by *dimension*; `legend`: [colour, text]. */
  function colours(dimension, rows) {
    if (dimension.values) {
      const colour = (v) => charts.COLOURS[dimension.values.indexOf(v) % charts.COLOURS.length];
      return { of: (row) => colour(dimension.of(row)),
               legend: dimension.values.map((v) => [colour(v), String(v)]) };
    }
    const values = rows.map(dimension.of).filter((v) => v != null).sort((a, b) => a - b);
    const quantiles = charts.RAMP.map((_, n) => values[Math.floor((n * values.length) / charts.RAMP.length)]);
    const steps = [...new Set(quantiles)];
    const place = (v) => Math.max(0, steps.findLastIndex((step) => v >= step));
    return { of: (row) => charts.RAMP[place(dimension.of(row))],
             legend: steps.map((step, n) => [charts.RAMP[n], `from ${dimension.text(step)}`]) };
  }

  /** Shapes by platform: never colour alone. */
  function shapes(rows) {
    const platforms = [...new Set(rows.map((row) => row.platform))].sort();
    const names = Object.keys(charts.SHAPES);
    return { of: (row) => charts.SHAPES[names[platforms.indexOf(row.platform) % names.length]],
             legend: platforms.map((p, n) => [charts.SHAPES[names[n % names.length]], p]) };
  }

  const name = (row) => `${row.platform} ${wording.config(row.config)}`;

  /** Names a variant by its platform and the knobs in which *rows* differ. */
  function shortNames(rows) {
    const differ = choices(rows).filter((c) => c.values.length > 1);
    return (row) => {
      const words = differ.filter((c) => c.of(row) !== NONE)
        .map((c) => (c.id === "platform" ? row.platform : `${c.id}=${c.of(row)}`));
      const said = words.join(" ") || name(row);
      return said.length > 54 ? `${said.slice(0, 53)}…` : said;
    };
  }

  /** A variant in one sentence. */
  function sentence(row) {
    const parts = [name(row)];
    if (row.origin === "edited") parts.push("edited");
    if (row.median_s != null) parts.push(wording.spread(row.median_s, row.mad_s));
    if (row.speedup != null) parts.push(`${wording.times(row.speedup)} plain Python`);
    if (row.roof_fraction != null) parts.push(`${wording.share(row.roof_fraction)} of roof`);
    parts.push(row.best ? "best" : row.tie ? "tie" : row.verdict);
    return parts.join(", ");
  }

  return { FIGURES, NONE, choices, dimensions, scaleOf, colours, shapes, name, shortNames, sentence };
})();
