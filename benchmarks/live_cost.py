"""What the live display costs: the same race with it and without it, in pairs, in a Jupyter kernel.

``python -m benchmarks.live_cost [PAIRS] [POINTS ALONG AN AXIS]`` prints one JSON line: median seconds
of a race with the display (``shown_s``) and without (``quiet_s``), the median of the pairs' ratios and
its spread (``ratio``, ``ratio_mad``), and the share of the time that drawing itself took (``drawing``).
The mark is a ratio of at most 1.03.
"""

from __future__ import annotations

import json
import sys
from statistics import median

from jupyter_client.manager import start_new_kernel

MARK = 1.03
CELL = """
import json, time
import numpy as np
import sejits_nb as sj
from sejits_nb.widgets.live import live

@sj.stencil(backend="c", tune="full", budget=600, fallback=False)
def heat(u, out):
    for x in out.interior_points():
        acc = -6.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = u[x] + 0.1 * acc

grid = np.random.default_rng(0).random(({n}, {n}, {n}))

def race(shown):
    with live(shown) as display:
        start = time.perf_counter()
        heat.measure(grid, fresh=True, listen=display.listen)
        seconds = time.perf_counter() - start
        display.publish({{"text/plain": "done"}}, {{}})
    return seconds, display.spent_s

race(True)  # compiles and proves every variant; later races find them in the cache
rows = []
for pair in range({pairs}):
    first = race(pair % 2 == 0)
    second = race(pair % 2 == 1)
    rows.append((first, second) if pair % 2 == 0 else (second, first))
print("ROWS", json.dumps(rows))
"""


def measure(pairs: int, n: int) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """For each pair ``(seconds, seconds of drawing)`` with the display, and without."""
    manager, client = start_new_kernel(kernel_name="python3")
    said: list[str] = []
    try:
        reply = client.execute_interactive(
            CELL.format(pairs=pairs, n=n),
            timeout=1800,
            output_hook=lambda message: said.append(str(message["content"].get("text", ""))),
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if reply["content"]["status"] != "ok":
        raise SystemExit("\n".join(reply["content"]["traceback"]))
    rows = "".join(said).partition("ROWS ")[2]
    return [(tuple(shown), tuple(quiet)) for shown, quiet in json.loads(rows)]


def summary(rows: list[tuple[tuple[float, float], tuple[float, float]]]) -> dict[str, float]:
    """The medians that the script prints."""
    ratios = [shown[0] / quiet[0] for shown, quiet in rows]
    centre = median(ratios)
    return {
        "shown_s": median(shown[0] for shown, _ in rows),
        "quiet_s": median(quiet[0] for _, quiet in rows),
        "ratio": centre,
        "ratio_mad": median(abs(r - centre) for r in ratios),
        "drawing": median(shown[1] / shown[0] for shown, _ in rows),
    }


if __name__ == "__main__":
    found = summary(measure(*(int(a) for a in (sys.argv[1:] + ["9", "96"][len(sys.argv) - 1 :]))))
    print(json.dumps({name: round(value, 4) for name, value in found.items()}))
    sys.exit(found["ratio"] > MARK + found["ratio_mad"])
