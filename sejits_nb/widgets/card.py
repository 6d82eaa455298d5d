"""The card as static HTML: no script, no SVG, of limited size, readable with its style stripped.

Colours that carry meaning are inline, literal and translucent, because a sanitizer may drop the style
element and a theme may be dark; everything else is left to the notebook's own type and colours.
"""

from __future__ import annotations

import shlex
from html import escape

from ..machine.roofline import placement
from ..results import Report
from . import card_text as facts
from .levels import levels_html
from .links import groups, level_steps
from .machine_card import UNKNOWN, machine_headline, roofs_table
from .markup import BORDER, CODE_FONT, code_block, root_class, style_tag, table
from .passes import passes_headline, passes_html
from .wording import count_text, lines_text, seconds_text

LIMIT_BYTES = 125_000
_MOST_VARIANTS = 32
_LOG_BYTES = 4_000
_SCRIPT_BYTES = 6_000

_STYLE = f"""\
ROOT{{line-height:1.45;max-width:100%}}
ROOT p{{margin:.35em 0}}
ROOT p.sejits-sentence{{font-size:1.15em;margin:.2em 0 .5em}}
ROOT p.sejits-note{{opacity:.75;margin:.1em 0}}
ROOT table.sejits-data{{border-collapse:collapse;margin:.3em 0 .6em;font-size:inherit;\
font-variant-numeric:tabular-nums}}
ROOT .sejits-data caption{{text-align:left;opacity:.75;padding:.1em 0 .3em}}
ROOT .sejits-data th,ROOT .sejits-data td{{padding:.22em 1.6em .22em 0;border:0;\
background:none;vertical-align:baseline}}
ROOT .sejits-data thead th{{font-weight:600;border-bottom:1px solid {BORDER}}}
ROOT .sejits-data tbody th{{font-family:{CODE_FONT};font-size:.95em}}
ROOT .sejits-data tbody tr{{background:none}}
ROOT .sejits-note+details{{margin-top:.8em}}
ROOT details{{border-top:1px solid {BORDER};padding:.3em 0}}
ROOT summary{{cursor:pointer}}
ROOT details>pre,ROOT details>pre code{{font-family:{CODE_FONT};font-size:12px;line-height:1.5;\
background:none;color:inherit;border:0;margin:0;padding:0;overflow:auto}}
ROOT details>pre{{margin:.2em 0 .8em}}
"""


def card_html(report: Report, limit_bytes: int = LIMIT_BYTES) -> str:
    """The card of *report*: sentence, table, closed details; *limit_bytes* at most.

    Everything that comes from the user, a compiler or the machine is escaped.  Code that would not
    fit is cut, with the path of the whole file.
    """
    root = root_class(facts.sentence(report) + facts.setting(report) + facts.tally(report))
    style = style_tag(_STYLE.replace("ROOT", f".{root}"))
    upper = _sentence(report) + _best(report) + _notes(report)
    lower = _passes(report) + _all_variants(report) + _machine(report) + _build(report)
    lower += _reproduce(report)
    frame = f'<div class="{root}">{style}{upper}'
    room = limit_bytes - len((frame + lower).encode()) - 1_000
    return f"{frame}{_levels(report, room)}{lower}</div>"


def _sentence(report: Report) -> str:
    first, *rest = map(escape, facts.claims(report))
    if rest and rest[-1] == "UNCHECKED":
        rest[-1] = '<strong style="background-color:#e69f0060">UNCHECKED</strong>'
    said = " · ".join([f"<strong>{first}</strong>", *rest])
    name = escape(report.trace.source.label)
    return f'<p class="sejits-sentence"><strong>{name}</strong>: {said}</p>'


def _best(report: Report) -> str:
    if report.best is None:
        return ""
    rows, hidden = facts.best_rows(report)
    caption = "Fastest variants first" + (f"; {count_text(hidden)} slower not shown" * bool(hidden))
    return table(facts.headers(report), rows, facts.NUMERIC, caption, strong=0)


def _notes(report: Report) -> str:
    extra = report.note if report.best is not None else ""
    lines = (extra, facts.stopped_note(report), facts.tally(report), facts.python_note(report),
             facts.setting(report))  # fmt: skip
    return "".join(f'<p class="sejits-note">{escape(line)}</p>' for line in lines if line)


def _details(name: str, headline: str, body: str) -> str:
    return (
        f"<details><summary><strong>{escape(name)}</strong> · {escape(headline)}</summary>"
        f"{body}</details>"
    )


def _levels(report: Report, room: int) -> str:
    steps = level_steps(report.trace)
    if not steps:
        return ""
    kinds = {1: "DAST", 2: "DAST", 3: "PAST", 4: "PAST"}
    path = " → ".join(["cell", *(kinds.get(s.phase, s.name) for s in steps)])
    linked = f"{len(groups(steps))} linked pieces of the cell"
    file = report.artifact.source if report.artifact else ""
    body = levels_html(report.trace, limit_bytes=room, whole_file=file, with_trees=True)
    return _details("Levels", f"{path}, {linked}", body)


def _passes(report: Report) -> str:
    body = passes_html(report.trace)
    return _details("Passes", passes_headline(report.trace), body) if body else ""


def _all_variants(report: Report) -> str:
    if not report.measurements:
        return ""
    usable, failed = facts.ranked(report), facts.failures(report)
    room = _MOST_VARIANTS // 2
    shown = [
        *usable[: max(room, 2 * room - len(failed))],
        *failed[: max(room, 2 * room - len(usable))],
    ]
    rows = [(*facts.row_of(report, m), facts.first_line(m.reason)) for m in shown]
    body = table(
        (*facts.headers(report), "reason"), rows, (*facts.NUMERIC, False), "Every variant tried"
    )
    if cut := len(report.measurements) - len(shown):
        body += f"<p>… {count_text(cut)} more</p>"
    word = facts.verdict_text(report, usable[0]) if usable else "correct"
    headline = f"{len(report.measurements)} tried, {len(usable)} {word}, {len(failed)} failed"
    return _details("All variants", headline, body)


def _machine(report: Report) -> str:
    if report.best is None:
        return ""
    name, roofs, best = "Machine and roofs", report.roofs, report.best
    if roofs is None:
        return _details(name, UNKNOWN, f"<p>{escape(report.machine)}</p>")
    place = placement(report, best)
    said = f"{place.words}. What to try: {place.advice}." if place else ""
    if best.platform in report.elsewhere:
        said = f"{best.platform} runs on another device: these roofs are not its own."
    counted = (
        f"A call on {count_text(report.work.points)} {report.work.point}s computes "
        f"{count_text(report.work.flops)} operations and moves {count_text(report.work.bytes_)} bytes "
        "at least."
    )
    notes = [said, counted, *roofs.notes, f"{roofs.machine} · measured {roofs.date}"]
    body = "".join(f"<p>{escape(line)}</p>" for line in notes if line)
    return _details(name, machine_headline(roofs), body + roofs_table(roofs))


def _build(report: Report) -> str:
    if (artifact := report.artifact) is None:
        return ""
    build, code = artifact.build, report.generated
    flags = [word for word in build.command[1:] if word.startswith("-")]
    rows = [
        ("command", shlex.join(build.command)),
        ("flags", " ".join(flags)),
        ("source", artifact.source),
        ("library", artifact.library),
        ("key", artifact.key),
        ("cached", "yes" if artifact.cached else "no"),
        ("specialized in", seconds_text(report.seconds)),
    ]
    body = table((), rows, (False, False), "How the best variant was built")
    if build.log.strip():
        body += "<p>What the compiler said</p>"
        body += code_block([escape(s) for s in build.log.strip().splitlines()], _LOG_BYTES)
    head = build.command[0].rpartition("/")[2] if build.command else "no command"
    state = "from the cache" if artifact.cached else f"{seconds_text(build.seconds)}"
    size = f", {lines_text(facts.generated_lines(report), code.name)}" if code else ""
    said = "" if not build.log.strip() else ", the compiler had something to say"
    return _details("Build", f"{head}, {state}{size}{said}", body)


def _reproduce(report: Report) -> str:
    if not report.script or report.best is None:
        return ""
    rows = report.script.splitlines()
    name = report.trace.source.label
    body = code_block([escape(row) for row in rows], _SCRIPT_BYTES, f"{name}.script() is all of it")
    return _details(
        "Reproduce", f"a script of {count_text(len(rows))} lines, {name}.script()", body
    )
