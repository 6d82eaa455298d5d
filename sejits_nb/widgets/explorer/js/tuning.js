// Start, go on with, and stop a race; where it stands.

const MOST_BUDGET_S = 3600;

/** The row of buttons above the variants, and the line that a race writes. */
function tuningBar(api) {
  const ask = (what, payload) =>
    api.ask(what, payload).catch((error) => {
      problem.textContent = error.message;
    });
  const start = (resume) => {
    problem.textContent = "";
    const seconds = Number(budget.value);
    return ask("tune", { budget: seconds > 0 ? seconds : null, resume });
  };
  const more = h("button", { type: "button", onclick: () => start(true) });
  const anew = h("button", { type: "button", onclick: () => start(false) }, "Tune anew");
  const stop = h("button", { type: "button", onclick: () => {
    stop.textContent = "Stopping …"; // between two timings
    ask("stop");
  } }, "Stop");
  const budget = h("input", { type: "number", min: 1, max: MOST_BUDGET_S, value: 12, step: 1 });
  const meter = h("progress", { max: 1, value: 0, "aria-label": "variants decided" });
  const line = h("p", { class: "said" });
  const problem = h("pre", { class: "problem", role: "alert" });
  const bar = h(
    "div", { class: "tuning", role: "group", "aria-label": "tuning" },
    h("div", { class: "bar" }, more, anew, stop,
      h("label", {}, "at most ", budget, " s"), meter),
    line, problem,
  );
  let wasRunning = false;

  function draw() {
    const now = api.state("progress");
    const running = Boolean(now.running);
    const raced = api.state("race").running; // edited code: tuning would disturb its times
    const held = running || raced || !api.state("tunable");
    [more.disabled, anew.disabled, stop.disabled] = [held, held, !running];
    more.textContent = now.complete === false ? "Resume tuning" : "Tune further";
    if (running !== wasRunning) stop.textContent = "Stop";
    meter.hidden = !running;
    if (now.total) [meter.max, meter.value] = [now.total, now.done];
    line.textContent = api.state("tunable") ? (now.line ?? "")
      : "This kernel runs as plain Python here: there is nothing to tune.";
    problem.textContent = now.error ?? "";
    if (running !== wasRunning) api.say(running ? "tuning started" : `tuning ended: ${now.line}`);
    wasRunning = running;
  }

  const forget = ["progress", "tunable", "race"].map((name) => api.watch(name, draw));
  draw();
  return { element: bar, dispose: () => forget.forEach((f) => f()) };
}
