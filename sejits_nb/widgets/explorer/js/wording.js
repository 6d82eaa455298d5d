// How numbers read: as everywhere in the package (wording.py).
const wording = (() => {
  const UNITS = [[1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]];
  const unitOf = (s) => s >= 0.0995 ? [1, "s"] : UNITS.find(([unit]) => s >= 0.9995 * unit) ?? UNITS[2];
  const count = (n) => Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, "\u202f");

  function seconds(s) {
    if (s == null) return "not timed";
    if (s === 0) return "0 s";
    if (s >= 119.5) return `${Math.floor(Math.round(s) / 60)} min ${Math.round(s) % 60} s`;
    const [unit, name] = unitOf(s);
    return `${(s / unit).toFixed(s / unit < 9.95 ? 1 : 0)} ${name}`;
  }

  function spread(median, mad) {
    if (median == null) return "not timed";
    const [unit, name] = unitOf(median), value = median / unit;
    const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    return `${value.toFixed(digits)} ± ${(mad / unit).toFixed(digits)} ${name}`;
  }

  const times = (ratio) => ratio == null ? "" : ratio >= 9.95 ? `${count(+ratio.toPrecision(3))}×`
    : ratio >= 0.95 ? `${ratio.toFixed(1)}×` : `${+ratio.toPrecision(2)}×`;
  const gain = (ratio) => ratio != null && ratio < 1.95 ? `${ratio.toFixed(2)}×` : times(ratio);
  const share = (part) => part == null ? "" : `${(100 * part).toFixed(0)} %`;
  function rate(perSecond) {
    const [unit, name] = [[1e12, "T"], [1e9, "G"], [1e6, "M"]].find(([u]) => perSecond >= u) ?? [1, ""];
    return `${+(perSecond / unit).toPrecision(3)} ${name}`;
  }
  const config = (knobs) => Object.entries(knobs).map(([k, v]) => `${k}=${v}`).join(" ") || "default";
  return { seconds, spread, times, gain, share, count, rate, config };
})();
