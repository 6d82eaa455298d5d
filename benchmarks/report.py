"""Results as files and tables: ``python -m benchmarks.report FILE`` prints Markdown.

``python -m benchmarks.report FILE --write`` puts it into ``docs/benchmarks.md``.
"""

from __future__ import annotations

import json
import platform
import re
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from sejits_nb.machine.detect import machine_name
from sejits_nb.phase5_backend.compile_c import find_compiler

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
PAGE = ROOT / "docs" / "benchmarks.md"
OWN_OUTPUT = "ours, NumPy's output"
PEERS = ("C by hand", "Numba", "Numba, our output", "SciPy", "NumPy")
_BETWEEN = re.compile(r"(?<=<!-- results -->\n).*(?=<!-- /results -->)", re.DOTALL)
_PACKAGES = ("sejits_nb", "numpy", "scipy", "numba")

Document = Mapping[str, Any]


def save(name: str, command: str, content: Document) -> Path:
    """``results/NAME-DATE.json``: *content*, and where, when and with what it was measured."""
    versions = {"python": platform.python_version(), "compiler": find_compiler().text}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "missing"
    date = time.strftime("%Y-%m-%d")
    about = {"name": name, "command": command, "machine": machine_name(), "date": date,
             "commit": _commit(), "versions": versions}  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}-{date}.json"
    path.write_text(json.dumps({**about, **content}, indent=1) + "\n", encoding="utf-8")
    return path


def table(document: Document) -> str:
    """The cases as text, and a line on each that has more to say."""
    rows = [_HEAD, *map(_row, document["cases"])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(w) if k else cell.ljust(w)
                       for k, (cell, w) in enumerate(zip(row, widths, strict=True)))
             for row in rows]  # fmt: skip
    return "\n".join([*lines, "", *_remarks(document)])


def markdown(document: Document) -> str:
    """The same for a page."""
    rows = [_HEAD, ["---", *["---:"] * (len(_HEAD) - 1)], *map(_row, document["cases"])]
    versions = ", ".join(f"{name} {v}" for name, v in document["versions"].items())
    where = f"on {document['machine']}, {document['date']}, commit {document['commit']}"
    file = f"../benchmarks/results/{document['name']}-{document['date']}"
    lines = [
        f"`{document['command']}` {where} ({versions}); [every sample]({file}.json).",
        *([document["note"]] if document.get("note") else []),
        "",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        *(f"- {line}" for line in _remarks(document)),
        "",
        f"![Each contender's share of STREAM's bandwidth, case by case]({file}.png)",
    ]
    return "\n".join(lines) + "\n"


def named_results(page: str) -> list[Path]:
    """The results that *page* links to."""
    return [PAGE.parent / found for found in re.findall(r"\]\((\S+\.json)\)", page)]


def write_page(document: Document) -> None:
    """Put *document* between the marks of ``docs/benchmarks.md``."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_BETWEEN.sub(lambda _: markdown(document), page), encoding="utf-8")


def page_part() -> str:
    """What stands there now."""
    found = _BETWEEN.search(PAGE.read_text(encoding="utf-8"))
    assert found
    return found[0]


_HEAD = [
    "case", "STREAM GB/s", "ours ms", "of STREAM", "NumPy's output", *(f"{p} ×" for p in PEERS),
    "tune s",
]  # fmt: skip


def _row(case: Document) -> list[str]:
    stream = case["copied_bytes"] / statistics.median(case["stream_s"]) / 1e9
    shares, times = case["share_of_stream"], case["times_ours"]
    return [
        case["case"],
        f"{stream:.0f}",
        f"{1e3 * case['median_s']['ours']:.2f}",
        f"{shares['ours']:.2f}",
        f"{shares[OWN_OUTPUT]:.2f}",
        *(_ratio(times[peer]) if peer in times else "–" for peer in PEERS),
        f"{case['tune']['seconds']:.1f}" if "tried" in case["tune"] else "–",
    ]


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _remarks(document: Document) -> list[str]:
    """What a reader needs to know of each case: the choice, the mark by hand, who is missing."""
    found = []
    for case in document["cases"]:
        tune, hand = case["tune"], case["about"].get("C by hand")
        parts = []
        if "tried" in tune:
            parts.append(f"{tune['tried']} variants tried, best {tune['platform']} {tune['best']}")
        if hand:
            setting = ", ".join(f"{k} {v}" for k, v in hand["setting"].items())
            share = f"{case['times_ours']['C by hand']:.2f} of the speed of C by hand"
            parts.append(f"{share} ({setting}; best of {hand['tried']})")
        parts += [f"no {p}: {why}" for p, why in case["missing"].items() if why != "not written"]
        if parts:
            found.append(f"{case['case']}: {'; '.join(parts)}")
    return found


def _commit() -> str:
    """The commit that was measured, marked where files had changed; empty outside of a repository."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "sejits_nb", "kernels")
        return git("rev-parse", "--short", "HEAD") + (" with changes" if changed else "")
    except OSError:
        return ""


def command_of(module: str, arguments: Sequence[str]) -> str:
    """How a benchmark is called: ``python -m benchmarks.run laplacian``."""
    return shlex.join(["python", "-m", f"benchmarks.{module}", *arguments])


def main() -> None:
    file, *flags = sys.argv[1:]
    document = json.loads(Path(file).read_text(encoding="utf-8"))
    if "--write" in flags:
        write_page(document)
    else:
        print(markdown(document))


if __name__ == "__main__":
    main()
