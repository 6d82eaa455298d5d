"""Which platform wins at which size, in words and as a plot."""

from __future__ import annotations

import base64
import dataclasses
import io
import re
from collections.abc import Callable

from PIL import Image

from sejits_nb.results import Measurement, Report
from sejits_nb.stages import Config
from sejits_nb.widgets.crossover_plot import SIZE, crossover_figure
from sejits_nb.widgets.crossovers import Crossovers

Alter = Callable[..., Report]
TABLE = """\
blur: c to openmp between 4 096 and 65 536 points

  points       c  openmp  plain Python  fastest
      64  1.0 µs                 0.2 s        c
   4 096   10 µs   20 µs                      c
  65 536   90 µs   50 µs                 openmp"""


def raced(altered: Alter, report: Report, points: int, python_s: float, **times_s: float) -> Report:
    found = tuple(
        Measurement(Config(), platform, "correct", (seconds,))
        for platform, seconds in times_s.items()
    )
    work = dataclasses.replace(report.work, points=points)
    best = min(found, key=lambda m: m.median_s)
    return altered(work=work, measurements=found, best=best, python_s=python_s)


def found(altered: Alter, report: Report) -> Crossovers:
    return Crossovers(
        (
            raced(altered, report, 65_536, 0.0, c=90e-6, openmp=50e-6),
            raced(altered, report, 4_096, 0.0, c=10e-6, openmp=20e-6),
            raced(altered, report, 64, 0.2, c=1e-6),
        )
    )


def test_the_table_word_for_word(altered: Alter, report: Report) -> None:
    assert repr(found(altered, report)) == TABLE


def test_one_platform_at_every_size(altered: Alter, report: Report) -> None:
    one = Crossovers((raced(altered, report, 64, 0.0, c=1e-6),))
    assert one.headline == "blur: c at every size"
    assert one.changes == ()


def test_the_plot_is_a_png_and_the_numbers_are_a_table(altered: Alter, report: Report) -> None:
    crossovers = found(altered, report)
    data, metadata = crossovers._repr_mimebundle_()
    image = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert (image.format, image.size) == ("PNG", SIZE)
    assert data["text/plain"] == repr(crossovers)
    alt = "blur: c to openmp between 4 096 and 65 536 points; the table has the median times"
    assert metadata["image/png"]["alt"] == alt
    assert re.findall(r"<td [^>]*>([^<]*)</td>", data["text/html"])[:3] == ["1.0 µs", "", "0.2 s"]
    fewer = Crossovers(crossovers.reports[1:])
    assert crossover_figure(fewer) != crossover_figure(crossovers)
