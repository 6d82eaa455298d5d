// The pane Variants: what was tried, as a chart that can be turned, filtered and replayed, as a table,
// and what failed; a variant that is picked shows its code.

const REPLAY_S = 8;
const MOST_BOXES = 16; // of one knob; more are folded, and made when they are asked for
const AXES = { x: "order", y: "median_s", colour: "platform" };

const variantsPane = {
  id: "variants",
  title: "Variants",
  build(host, api) {
    const bar = tuningBar(api);
    const detail = variantCode(api);
    const chart = variantChart(pick);
    const chosen = recall("variants", {}); // select -> value
    const hidden = new Map(); // knob -> values that are filtered out
    let rows = [];
    let picked = null;
    let upTo = null; // how many of the rows a replay shows; null: all
    let playing = 0;
    let controls = ""; // what the selects and filters were built for
    let stale = true; // until it is drawn for the first time
    let due = 0; // the frame that draws what has changed

    const select = (name, options = []) => h("select", {
      name,
      onchange: ({ target }) => {
        chosen[name] = target.value;
        remember("variants", chosen);
        draw();
      },
    }, options.map((option) => h("option", {}, option)));
    const [kind, x, y, colour] = [select("kind", ["points", "bars"]), select("x"), select("y"), select("colour")];
    kind.value = chosen.kind ?? "points";
    const filters = h("div", { class: "filters", role: "group", "aria-label": "filters" });
    const play = h("button", { type: "button", onclick: togglePlay }, "Replay");
    const slider = h("input", {
      type: "range", min: 1, step: 1, "aria-label": "variants tried so far", oninput: seek,
    });
    const replayed = h("output", { class: "replayed" });
    const replay = h("div", { class: "bar", role: "group", "aria-label": "replay" }, play, slider, replayed);
    const note = h("p", { class: "note" });
    const table = variantTable(pick);
    const failures = failureList(pick);
    host.append(
      bar.element,
      h("div", { class: "bar" }, h("label", {}, "show ", kind), h("label", {}, "across ", x),
        h("label", {}, "up ", y), h("label", {}, "colour ", colour)),
      filters,
      chart.element, note, replay, detail.element, failures.element, table.element,
    );

    const find = (id) => figures.dimensions(rows).find((d) => d.id === id);
    const filtered = (tried) => {
      const filters = figures.choices(rows).filter((c) => hidden.get(c.id)?.size);
      return tried.filter((row) => filters.every((c) => !hidden.get(c.id).has(c.of(row))));
    };

    /** Selects and filters follow what differs among the rows; choices that are still there stay. */
    function buildControls() {
      const dimensions = figures.dimensions(rows);
      const choices = figures.choices(rows).filter((c) => c.values.length > 1);
      const now = JSON.stringify([dimensions.map((d) => d.id), choices.map((c) => c.values)]);
      if (now === controls) return;
      controls = now;
      for (const made of [x, y, colour]) {
        made.replaceChildren(...dimensions.map((d) => h("option", { value: d.id }, d.title)));
        const usual = [chosen[made.name], AXES[made.name], made === colour && choices[0]?.id, "order"];
        made.value = usual.find((id) => dimensions.some((d) => d.id === id));
      }
      filters.replaceChildren(...choices.map((choice) => filterOf(choice)));
    }

    function filterOf({ id, values }) {
      const boxOf = (value) => {
        const change = ({ target }) => {
          if (!hidden.has(id)) hidden.set(id, new Set());
          hidden.get(id)[target.checked ? "delete" : "add"](value);
          draw();
          api.say(note.textContent);
        };
        const box = h("input", { type: "checkbox", checked: !hidden.get(id)?.has(value), onchange: change });
        return h("label", {}, box, String(value));
      };
      const all = h("div", { class: "boxes" });
      const fill = () => all.childElementCount || all.append(...values.map(boxOf));
      const folded = values.length > MOST_BOXES;
      if (!folded) fill();
      const about = api.state("knobs")[id];
      return h("fieldset", { title: about }, h("legend", {}, id), folded
        ? h("details", { ontoggle: fill }, h("summary", {}, countText(values.length, "value")), all) : all);
    }

    function draw() {
      const timed = rows.some((row) => row.median_s != null);
      chart.element.hidden = !timed;
      table.element.hidden = !rows.length;
      if (!rows.length) {
        note.textContent = "No variants yet: tuning finds some.";
        return;
      }
      const tried = rows.slice(0, upTo ?? rows.length);
      const shown = filtered(tried);
      const best = upTo === null ? rows.find((row) => row.best)?.index : tried.at(-1).leader;
      const asBars = kind.value === "bars";
      x.disabled = asBars;
      const count = chart.draw({
        rows: shown, all: rows, x: find(x.value), y: find(y.value), colour: find(colour.value),
        asBars, best, picked,
      });
      const left = shown.length - count;
      note.textContent = `${countText(count, "variant")} of ${tried.length} shown`
        + (left ? `, ${left} without such a figure` : "")
        + (tried.length > shown.length ? `, ${tried.length - shown.length} filtered out` : "");
      slider.max = rows.length;
      slider.value = tried.length;
      const leader = rows[best];
      const said = leader ? `best ${wording.seconds(leader.median_s)}: ${figures.name(leader)}` : "none is right yet";
      replayed.textContent = `${tried.length} of ${rows.length} tried · ${said}`;
      slider.setAttribute("aria-valuetext", replayed.textContent);
      table.draw(shown, picked);
      failures.draw(tried);
    }

    function pick(index) {
      picked = picked === index ? null : index;
      draw();
      detail.show(picked === null ? null : rows[picked], rows);
    }

    function seek() {
      upTo = Number(slider.value) === rows.length ? null : Number(slider.value);
      draw();
    }

    function stopPlaying() {
      clearInterval(playing);
      playing = 0;
      play.textContent = "Replay";
    }

    function togglePlay() {
      if (playing) return stopPlaying();
      if (upTo === null) upTo = 0;
      play.textContent = "Pause";
      const each = Math.min(400, (1000 * REPLAY_S) / rows.length);
      const step = () => {
        upTo += 1;
        if (upTo >= rows.length) {
          upTo = null;
          stopPlaying();
          api.say(replayed.textContent);
        }
        draw();
      };
      playing = setInterval(step, each);
      step();
    }

    function later() {
      due ||= requestAnimationFrame(update); // several traits change at once
    }

    function update() {
      due = 0;
      const before = picked === null ? null : JSON.stringify(rows[picked]?.config);
      rows = api.state("variants");
      stale = false;
      if (picked !== null && JSON.stringify(rows[picked]?.config) !== before) picked = null;
      const running = Boolean(api.state("progress").running);
      if (running && playing) stopPlaying();
      if (running) upTo = null;
      replay.hidden = running || rows.length < 2;
      buildControls();
      draw();
      if (picked === null) detail.show(null, rows);
    }

    const forget = [api.watch("variants", later), api.watch("progress", later)];
    let width = 0;
    const resized = new ResizeObserver(() => {
      if (host.clientWidth && host.clientWidth !== width) {
        width = host.clientWidth;
        draw();
      }
    });
    resized.observe(host);
    return {
      prepare() {
        if (stale) update();
      },
      show() {
        if (stale) update();
        api.ask("refresh").catch((error) => api.say(error.message));
      },
      dispose() {
        stopPlaying();
        cancelAnimationFrame(due);
        resized.disconnect();
        bar.dispose();
        forget.forEach((f) => f());
      },
    };
  },
};
