"""Run the tour headless: ``make demo``.

Leaves the executed notebook and a web page in ``build/demo/`` and prints a line for each kernel.  Ends
with status 1 if a cell fails that should not, or if a kernel's verdict is anything but "correct".
Without a C compiler the kernels run as plain Python, and their lines say so.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from jinja2 import DictLoader
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

from sejits_nb.widgets.show import SUMMARY_MIME
from sejits_nb.widgets.wording import lines_text, seconds_text, times_text

HERE = Path(__file__).resolve().parent
CELL_TIMEOUT_S = 240
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
OFFLINE = """{% extends 'index.html.j2' %}
{% block html_head_js_requirejs %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
{% block data_png scoped %}
{%- set alt = cell | get_metadata("alt") -%}
{{ super() | replace("<img ", '<img alt="' ~ (alt | escape_html) ~ '" ', 1) if alt else super() }}
{% endblock %}
"""
"""The lab template without the scripts that it would fetch from the network: the tour needs none; a
figure has the text alternative of its cell's metadata."""

Summary = dict[str, Any]


def main() -> int:
    """Parse the command line, run the notebook, write both files; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("notebook", nargs="?", type=Path, default=HERE / "00_tour.ipynb")
    parser.add_argument("--to", type=Path, default=HERE.parent / "build" / "demo")
    given = parser.parse_args()
    given.to.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.read(given.notebook, as_version=4)  # type: ignore[no-untyped-call]
    failed = execute(notebook, given.to)
    drop_widgets(notebook)
    target = given.to / given.notebook.name
    nbformat.write(notebook, target)  # type: ignore[no-untyped-call]
    target.with_suffix(".html").write_text(web_page(notebook, target.stem), encoding="utf-8")
    print()
    for summary in summaries(notebook):
        print(line_of(summary))
        failed |= not acceptable(summary)
    return int(failed)


def execute(notebook: nbformat.NotebookNode, directory: Path) -> bool:
    """Run every cell in *directory*, telling which one; True if a cell failed that should not.

    The kernel is this Python's own, whatever other kernels the user has installed as ``python3``.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    started = 0.0

    def begin(cell: Any, cell_index: int) -> None:
        nonlocal started
        started = time.perf_counter()
        number = next(n for n, one in enumerate(cells, 1) if one is notebook.cells[cell_index])
        headline = next(iter(cell.source.splitlines()), "")
        print(f"[{number:2}/{len(cells)}] {headline[:70]:<70}", end=" ", flush=True)

    def end(**_: Any) -> None:
        print(f"{time.perf_counter() - started:5.1f} s", flush=True)

    client = NotebookClient(
        notebook,
        km=AsyncKernelManager(
            kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[])
        ),
        timeout=CELL_TIMEOUT_S,
        resources={"metadata": {"path": str(directory)}},
        extra_arguments=["--log-level=ERROR"],
        store_widget_state=False,
        on_cell_execute=begin,
        on_cell_executed=end,
    )
    try:
        client.execute(cleanup_kc=True)
    except CellExecutionError as error:
        print(f"\n{error}", file=sys.stderr)
        return True
    return False


def drop_widgets(notebook: nbformat.NotebookNode) -> None:
    """Leave the text of each widget: without its kernel the widget is an error message."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET_MIME, None)


def web_page(notebook: nbformat.NotebookNode, title: str) -> str:
    """The notebook as one HTML file that opens without a network."""
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="lab",
        template_file="offline.html.j2",
        extra_loaders=[DictLoader({"offline.html.j2": OFFLINE})],
    )
    page: str = exporter.from_notebook_node(notebook, {"metadata": {"name": title}})[0]
    return page


def summaries(notebook: nbformat.NotebookNode) -> Iterator[Summary]:
    """What the cards say in numbers, in the notebook's order."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if found := output.get("data", {}).get(SUMMARY_MIME):
                yield dict(found)


def line_of(summary: Summary) -> str:
    """A kernel in one line: name, time, speedup, lines of Python -> lines of C, platform, checked."""
    python = lines_text(summary["python_lines"], "Python")
    if summary["seconds"] is None:
        each = summary["python_seconds"]
        time_text = f"{seconds_text(each)} a sweep, " if each else ""
        return f"{summary['name']:<11} {time_text}{python}: runs as plain Python"
    code = lines_text(summary["generated_lines"], summary["language"])
    checked = summary["verdict"] if summary["check"] != "off" else "UNCHECKED"
    speedup = f"{times_text(summary['speedup'])} faster" if summary["speedup"] else "not compared"
    return (
        f"{summary['name']:<11} {seconds_text(summary['seconds']):>7}  {speedup:>14}"
        f"  {python} → {code}  {summary['platform']}  {checked}"
    )


def acceptable(summary: Summary) -> bool:
    """Proven equal to the plain Python, or the plain Python itself."""
    if summary["platform"] == "python":
        return True
    return bool(summary["verdict"] == "correct" and summary["check"] != "off")


if __name__ == "__main__":
    sys.exit(main())
