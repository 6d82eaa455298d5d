// The pane Roofline: the measured roofs, every variant under them, and the way to the best.

const ROOFLINE_PIXELS = 380;
const DASHES = ["6 3", "3 2", "1 2", "8 3 2 3"];

const rooflinePane = {
  id: "roofline",
  title: "Roofline",
  build(host, api) {
    let rows = [];
    let pointed = null;
    const threads = h("select", { onchange: draw });
    const measure = h("button", { type: "button", onclick: measureRoofs }, "Measure the roofs");
    const about = h("p", { class: "note" });
    const verdict = h("p", { class: "verdict" });
    const frame = h("div", { class: "frame" });
    const tip = h("div", { class: "tip", hidden: true, "aria-hidden": "true" });
    const path = h("table", { class: "path" });
    const table = h("table");
    const pointTable = h("table");
    const twin = h("details", { class: "twin" }, h("summary", {}, "Table of roofs and variants"), table, pointTable);
    const legend = h("div", { class: "legend" });
    const picker = h("label", {}, "roofs of ", threads);
    const chart = charts.chart(frame, { label: "roofline", onShow: show, onPick: pick });
    frame.append(tip);
    host.append(h("div", { class: "bar" }, picker, measure), about, frame, legend, verdict,
      h("h4", {}, "From the plain Python to the best"), path, twin);

    async function measureRoofs() {
      try {
        await api.ask("measure roofs"); // the roofs come as a trait
      } catch (error) {
        about.textContent = error.message;
      }
    }

    const placed = () => rows.filter((row) => row.flops_per_s > 0);
    const best = () => rows.find((row) => row.best);

    function update() {
      rows = api.state("variants");
      const { roofs = [], threads: all } = api.state("roofs");
      const before = threads.value || String(best()?.threads ?? all);
      threads.replaceChildren(...roofs.map((r) => h("option", { value: r.threads },
        countText(r.threads, "thread") + (r.threads === all ? " (all)" : ""))));
      threads.value = roofs.some((r) => String(r.threads) === before) ? before : String(all);
      draw();
    }

    function draw() {
      const { roofs = [], machine, date, notes = [], dtype, elsewhere = [], problem } = api.state("roofs");
      const known = roofs.length > 0;
      for (const part of [picker, frame, legend, twin]) part.hidden = !known;
      measure.textContent = known ? "Measure the roofs again" : "Measure the roofs";
      about.textContent = known
        ? [`measured on ${machine}, ${date}`, ...notes,
           ...elsewhere.map((p) => `${p} runs on another device: it has no place here`)].join("; ")
        : (problem ?? "The roofs of this machine are not known: how near a variant comes to them cannot be said.");
      drawPath();
      drawVerdict();
      if (!known) return;
      const roof = roofs.find((r) => r.threads === Number(threads.value)) ?? roofs.at(-1);
      drawRoofs(roof, dtype);
      drawTables(roofs);
    }

    function drawRoofs(roof, dtype) {
      const points = placed();
      const peaks = [...roof.peaks].sort((a, b) => (b[0] === dtype) - (a[0] === dtype));
      const highest = Math.max(...peaks.map(([, rate]) => rate));
      const slowest = Math.min(...roof.memories.map(([, rate]) => rate));
      const intensities = points.map((row) => row.intensity);
      const span = [1 / 32, 64, ...intensities.flatMap((i) => [i / 2, i * 2])];
      const rates = [highest * 1.3, (slowest / 32) * 2, ...points.map((row) => row.flops_per_s / 1.5)];
      chart.resize(ROOFLINE_PIXELS);
      const { left, right, top, bottom } = chart.area();
      const ratio = (v) => (v < 1 ? `1/${Math.round(1 / v)}` : `${v}`);
      const x = charts.logarithmic(span, left, right, ratio, 2);
      const y = charts.logarithmic(rates, bottom, top, (v) => `${+(v / 1e9).toPrecision(3)}`);
      chart.drawAxes(x, y, "arithmetic intensity, flop/byte", "GFLOP/s");
      chart.back.replaceChildren(
        ...roof.memories.flatMap(([name, rate], n) => {
          const ridge = highest / rate;
          const from = Math.max(x.low, y.low / rate);
          return line(`${name} ${wording.rate(rate)}B/s`, n, DASHES[n % DASHES.length],
            [x.place(from), y.place(from * rate)], [x.place(ridge), y.place(highest)]);
        }),
        ...peaks.flatMap(([name, rate], n) => line(`peak ${name} ${wording.rate(rate)}FLOP/s`, n, n ? "2 3" : "",
          [x.place(rate / Math.max(...roof.memories.map(([, r]) => r))), y.place(rate)], [right, y.place(rate)])),
        ...reach(points, x, y), ...wayOf(points, x, y),
      );
      const shape = figures.shapes(rows);
      chart.drawMarks(points.map((row) => ({
        key: row.index, x: x.place(row.intensity), y: y.place(row.flops_per_s), d: shape.of(row),
        colour: charts.COLOURS[row.threads === roof.threads ? 0 : 1],
        said: `${figures.sentence(row)}; ${row.words}`, pressed: row.index === pointed, above: row.best,
        classes: [row.best && "best", row.threads !== roof.threads && "hollow"].filter(Boolean).join(" "),
      })));
      const said = [...shape.legend.map(([d, text]) => [d, text, ""]), [charts.SHAPES.circle, "ringed: the best", "best", "transparent"],
        [charts.SHAPES.circle, "hollow: another number of threads", "hollow"]];
      legend.replaceChildren(...said.map((entry) => charts.key(...entry)));
    }

    /** A roof: its line, and its name along it. */
    function line(name, n, dashes, [x1, y1], [x2, y2]) {
      const level = y1 === y2;
      const part = 0.03 + 0.2 * (n % 2); // names of roofs that are close stand one after the other
      const angle = (Math.atan2(y2 - y1, x2 - x1) * 180) / Math.PI;
      const at = level ? [x2 - 4, y2 - 5] : [x1 + (x2 - x1) * part, y1 + (y2 - y1) * part];
      const text = charts.node("text", {
        transform: `translate(${at[0]} ${at[1]}) rotate(${level ? 0 : angle}) translate(0 ${level ? 0 : -5})`,
        "text-anchor": level ? "end" : "start", class: "roof-name",
      });
      text.textContent = name;
      return [charts.node("path", { class: "roof", d: `M${x1} ${y1}L${x2} ${y2}`, "stroke-dasharray": dashes }), text];
    }

    /** From the best up to the roof that bounds it: what is left. */
    function reach(points, x, y) {
      const row = points.find((one) => one.index === pointed) ?? points.find((one) => one.best);
      if (!row) return [];
      const at = x.place(row.intensity);
      return [charts.node("path", { class: "reach",
        d: `M${at} ${y.place(row.flops_per_s)}V${y.place(row.roof_flops_per_s)}m-6 0h12` })];
    }

    /** The numbers of the steps of the way, beside their points, none over another. */
    function wayOf(points, x, y) {
      let last = Infinity;
      const steps = api.state("path").filter((step) => step.index !== null && points.some((p) => p.index === step.index));
      return steps.flatMap((step, n) => {
        const row = rows[step.index];
        const [from, at] = [x.place(row.intensity), y.place(row.flops_per_s)];
        last = Math.min(at, last - 14);
        const text = charts.node("text", { x: from + 26, y: last + 4, class: "step" });
        text.textContent = `${n + 1}`;
        return [charts.node("path", { class: "way", d: `M${from + 8} ${at}L${from + 22} ${last}` }), text];
      });
    }

    function show(index, at) {
      const row = rows[index];
      tip.hidden = !row;
      if (!row) return;
      tip.replaceChildren(...[figures.name(row), wording.spread(row.median_s, row.mad_s), row.words]
        .map((text, n) => h(n ? "div" : "b", {}, text)));
      const left = Math.min(at.x + 10, Math.max(0, frame.clientWidth - tip.offsetWidth - 4));
      tip.style.transform = `translate(${left}px, ${at.y}px)`;
    }

    function pick(index) {
      pointed = pointed === index ? null : index;
      draw();
      api.say(verdict.textContent);
    }

    /** What bounds the variant pointed at, else the best, and what to try next. */
    function drawVerdict() {
      const row = rows[pointed] ?? best();
      verdict.replaceChildren(...(row?.words ? [
        h("b", {}, `${figures.name(row)}: `), h("span", {}, `${row.words}. `),
        h("span", {}, `What to try next: ${row.advice}.`)] : []));
    }

    function drawPath() {
      const heads = ["step", "variant", "what it changed", "median", "gain", "of roof"];
      let number = 0;
      const change = ([knob, before, now]) => `${knob} ${before ?? figures.NONE} → ${now ?? figures.NONE}`;
      fill(path, heads, api.state("path").map((step) => [
        step.index === null ? "" : String((number += 1)),
        step.index === null ? "plain Python" : figures.name(rows[step.index]),
        step.changed.map(change).join(", "), wording.seconds(step.median_s),
        wording.gain(step.factor), wording.share(step.roof_fraction),
      ]), 1);
    }

    function drawTables(roofs) {
      const names = [...roofs[0].memories.map(([name]) => name), ...roofs[0].peaks.map(([d]) => `peak ${d}`)];
      fill(table, ["threads", ...names], roofs.map((roof) => [
        String(roof.threads), ...roof.memories.map(([, rate]) => `${wording.rate(rate)}B/s`),
        ...roof.peaks.map(([, rate]) => `${wording.rate(rate)}FLOP/s`),
      ]), 0);
      fill(pointTable, ["variant", "threads", "flop/byte", "rate", "of roof", "what bounds it"], placed().map((row) => [
        figures.name(row), String(row.threads), String(row.intensity), `${wording.rate(row.flops_per_s)}FLOP/s`,
        wording.share(row.roof_fraction), row.words,
      ]), 0);
    }

    /** Texts by row; column *head* names the row. */
    function fill(made, heads, texts, head) {
      made.replaceChildren(
        h("thead", {}, h("tr", {}, heads.map((text) => h("th", { scope: "col" }, text)))),
        h("tbody", {}, texts.map((row) => h("tr", {}, row.map((text, n) =>
          n === head ? h("th", { scope: "row" }, text) : h("td", {}, text))))),
      );
    }

    const forget = ["variants", "roofs", "path"].map((name) => api.watch(name, update));
    let width = 0;
    const resized = new ResizeObserver(() => {
      if (host.clientWidth && host.clientWidth !== width) {
        width = host.clientWidth;
        update();
      }
    });
    resized.observe(host);
    return {
      show() {
        update();
        api.ask("refresh").catch((error) => api.say(error.message));
      },
      dispose() {
        resized.disconnect();
        forget.forEach((f) => f());
      },
    };
  },
};
