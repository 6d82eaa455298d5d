"""The card as plain text, and the facts on it that the HTML card and the figure say too."""

from __future__ import annotations

from typing import NamedTuple

from ..machine.roofline import placement
from ..results import Measurement, Report
from .wording import count_text, lines_text, seconds_text, share_text, spread_text, times_text

MOST_ROWS = 6
MOST_FAILURES = 5
NUMERIC = (False, True, True, True, False)


class Row(NamedTuple):
    """One row of the table of variants, a text for each of :func:`headers`."""

    variant: str
    time: str
    speedup: str
    rate: str
    why: str


def card_text(report: Report) -> str:
    """The card for a terminal and for ``text/plain``: the same facts as :func:`.card.card_html`."""
    blocks = [sentence(report)]
    if report.best is not None:
        shown, hidden = best_rows(report)
        lines = ["  ".join(cells).rstrip() for cells in _aligned([headers(report), *shown])]
        word = "variant" if hidden == 1 else "variants"
        lines += [f"… {count_text(hidden)} slower {word} not shown"] if hidden else []
        blocks.append(_indented(lines))
    blocks.append(_indented(_failure_lines(report)))
    notes = [tally(report), python_note(report), setting(report)]
    notes[:0] = [report.note if report.best is not None else "", stopped_note(report)]
    blocks.append("\n".join(filter(None, notes)))
    return "\n\n".join(filter(None, blocks))


def sentence(report: Report) -> str:
    """The headline: how much faster, how long, how near to the roof, and whether it is correct."""
    return f"{report.trace.source.label}: {' · '.join(claims(report))}"


def claims(report: Report) -> list[str]:
    """The parts of the headline after the kernel's name."""
    best = report.best
    if best is None:
        return ["runs as plain Python", *([first_line(report.note)] if report.note else [])]
    parts = []
    if (speedup := report.speedup) is not None:
        word = "faster" if speedup >= 1 else "slower"
        parts.append(f"{times_text(max(speedup, 1 / speedup))} {word} than Python")
    parts.append(seconds_text(best.median_s))
    if placed := placement(report, best):
        parts.append(f"{share_text(placed.fraction)} of the measured roof ({placed.bound} bound)")
    elif rate := gb_per_s(report, best):
        parts.append(f"{rate} GB/s compulsory")
    parts += ["above its roof"] if placed and placed.above else []
    return [*parts, verdict_text(report, best)]


def headers(report: Report) -> Row:
    """The heads of the table's columns; without measured roofs the rate is the bandwidth."""
    rate = "of roof" if report.roofs is not None else "GB/s"
    return Row("variant", "median ± MAD", "speedup", rate, "why")


def best_rows(report: Report) -> tuple[list[Row], int]:
    """At most :data:`MOST_ROWS` rows, the plain Python last, and how many variants are left out."""
    ranking = ranked(report)
    room = MOST_ROWS - bool(report.python_s)
    shown = [row_of(report, m) for m in ranking[:room]]
    if report.python_s:
        mark = "the reference" if _timed_in_full(report) else "the reference, scaled"
        shown.append(Row("plain Python", seconds_text(report.python_s), "1×", "", mark))
    return shown, max(0, len(ranking) - room)


def ranked(report: Report) -> list[Measurement]:
    """The variants that may be called, the best first, then by median time."""
    usable = [m for m in report.measurements if m.verdict in ("correct", "unchecked")]
    return sorted(usable, key=lambda m: (m != report.best, m.median_s))


def failures(report: Report) -> list[Measurement]:
    """The variants that were disqualified, each with its reason."""
    return [m for m in report.measurements if m.verdict not in ("correct", "unchecked")]


def row_of(report: Report, m: Measurement) -> Row:
    """The texts that the table shows of *m*."""
    speedup = times_text(report.python_s / m.median_s) if m.times_s and report.python_s else ""
    placed = placement(report, m)
    rate = share_text(placed.fraction) if placed else ""
    rate = rate if report.roofs is not None else gb_per_s(report, m)
    return Row(variant_text(m), spread_text(m.median_s, m.mad_s), speedup, rate, why(report, m))


def variant_text(m: Measurement) -> str:
    """A variant's platform and knobs: ``openmp threads=2 unroll=1``."""
    return f"{m.platform} {m.config}"


def why(report: Report, m: Measurement) -> str:
    """Where a variant stands, and what bounds it: ``correct, best; memory bound``."""
    best, placed = report.best, placement(report, m)
    said = verdict_text(report, m)
    if m in failures(report):
        return said
    if m == best:
        said += ", best"
    elif tied(report, m):
        said += ", tie"
    elif best is not None and m.times_s and best.times_s:
        ratio = m.median_s / best.median_s
        said += f", {times_text(ratio) if ratio >= 1.095 else f'{ratio:.2f}×'} the best"
    if placed and placed.above:
        return f"{said}; above its roof"
    return f"{said}; {placed.bound} bound" if placed and m == best else said


def tied(report: Report, m: Measurement) -> bool:
    """Whether noise may have chosen between *m* and the best: they lie within the larger of their two
    MADs, or *m* looks faster, by samples of other rounds than those in which it lost."""
    best = report.best
    if best is None or m == best or not (m.times_s and best.times_s) or m in failures(report):
        return False
    return m.median_s - best.median_s <= max(m.mad_s, best.mad_s)


def verdict_text(report: Report, m: Measurement) -> str:
    """``correct``, ``correct to the bit``, ``UNCHECKED``, or what a disqualified variant is."""
    if m.verdict == "correct" and report.check != "off":
        return "correct to the bit" if report.check == "strict" else "correct"
    return "UNCHECKED" if m.verdict in ("correct", "unchecked") else m.verdict


def gb_per_s(report: Report, m: Measurement) -> str:
    """Compulsory traffic over median time, GB/s; empty where either is unknown."""
    if not m.times_s or not report.work.bytes_ or not m.median_s:
        return ""
    return f"{report.work.bytes_ / m.median_s / 1e9:.1f}"


def tally(report: Report) -> str:
    """``tried 8 · failed 1 · cached: no · compile 0.4 s · 5 lines of Python → 712 lines of C``."""
    parts = []
    if report.measurements:
        parts.append(f"tried {len(report.measurements)}")
        parts.append(f"failed {len(failures(report))}")
    if (artifact := report.artifact) is not None:
        took = seconds_text(artifact.build.seconds)
        parts.append(f"cached: {'yes' if artifact.cached else 'no'}")
        parts.append(f"compiled earlier in {took}" if artifact.cached else f"compile {took}")
    if (step := report.generated) is not None:
        python = lines_text(report.trace.source.line_count, "Python")
        parts.append(f"{python} → {lines_text(generated_lines(report), step.name)}")
    return " · ".join(parts)


def generated_lines(report: Report) -> int:
    """Generated lines that carry code, counted as the Python's are: no blank lines, no comments."""
    texts = (line.text.strip() for line in (report.generated.lines if report.generated else ()))
    return sum(1 for text in texts if text and not text.startswith(("//", "/*")))


def stopped_note(report: Report) -> str:
    """Of a race that was interrupted or ran out of time: how it goes on."""
    if report.complete or report.best is None:
        return ""
    tried = len(report.measurements)
    of = f" of {count_text(report.total)}" if report.total > tried else ""
    name = report.trace.source.label
    return (
        f"stopped early: the best of {count_text(tried)}{of} variants is kept; "
        f"{name}.tune() tries the others"
    )


def python_note(report: Report) -> str:
    """How the plain Python, the 1× of every speedup, was timed."""
    if not report.python_s:
        return "plain Python: not timed"
    each = seconds_text(report.python_s / max(1, report.work.points))
    points, point = count_text(report.work.points), report.work.point
    said = f"plain Python: {each} {'an' if point[0] in 'aeiou' else 'a'} {point}, timed on"
    if _timed_in_full(report):
        return f"{said} all {points} {point}s"
    return f"{said} {count_text(report.python_points)} {point}s and scaled to {points}"


def setting(report: Report) -> str:
    """On what arguments, on which machine and when the times were taken."""
    arguments = report.work.arguments or str(report.signature)
    return " · ".join(filter(None, (arguments, report.machine, report.date)))


def first_line(text: str, most: int = 300) -> str:
    """The first line of *text* that is not blank, cut to *most* characters."""
    line = next((s.strip() for s in text.splitlines() if s.strip()), "")
    return line if len(line) <= most else line[: most - 1] + "…"


def _timed_in_full(report: Report) -> bool:
    return report.python_points >= report.work.points


def _failure_lines(report: Report) -> list[str]:
    failed = failures(report)
    lines = [
        f"{m.verdict}: {variant_text(m)}: {first_line(m.reason) or 'no reason given'}"
        for m in failed[:MOST_FAILURES]
    ]
    rest = len(failed) - MOST_FAILURES
    return [*lines, f"… {count_text(rest)} more failed"] if rest > 0 else lines


def _aligned(rows: list[Row]) -> list[list[str]]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        [cell.rjust(w) if right else cell.ljust(w)
         for cell, w, right in zip(row, widths, NUMERIC, strict=True)]
        for row in rows
    ]  # fmt: skip


def _indented(lines: list[str]) -> str:
    return "\n".join("  " + line for line in lines)
