"""Run the notebooks, and turn what they printed into pages of the site.

    python tools/notebooks.py check  [name …]   # run each in a copy; fail on an error or on committed outputs
    python tools/notebooks.py render [name …]   # the same, then write docs/tour/*.md

A notebook is committed without outputs: what a reader sees is what their own machine computed, and a diff
shows what an author wrote. A run is kept under .nox/ until the notebook or a package changes.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from pathlib import Path
from shutil import copy, rmtree
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import MarkdownExporter
from nbformat import NotebookNode
from traitlets.config import Config

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".nox" / "runs-of-notebooks"  # not "notebooks": that is the environment of the session
TOUR = ROOT / "docs" / "tour"
SECONDS_A_CELL = 60


def untidy(notebook: NotebookNode) -> list[str]:
    """What keeps a notebook from being committed: outputs, and numbers of past runs."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [
        f"cell {number} has been committed with outputs; clear them (Edit > Clear Outputs of All Cells)"
        for number, cell in enumerate(code, start=1)
        if cell.outputs or cell.execution_count is not None
    ]


def fingerprint(path: Path) -> str:
    """A digest of everything a run depends on: the notebook, its helpers and the source of every package."""
    digest = hashlib.sha256(path.read_bytes())
    for source in sorted([*path.parent.glob("*.py"), *ROOT.glob("packages/*/src/**/*.py")]):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def run(path: Path) -> NotebookNode:
    """The notebook with the outputs of a run from top to bottom, in a folder of its own.

    Raises CellExecutionError with the failing cell and its traceback.
    """
    kept = KEPT / f"{path.stem}-{fingerprint(path)}.ipynb"
    if kept.exists():
        print(f"{path.name}: unchanged since its last run")
        return nbformat.read(kept, as_version=4)
    notebook = nbformat.read(path, as_version=4)
    started = time.perf_counter()
    with TemporaryDirectory() as folder:
        for helper in path.parent.glob("*.py"):
            copy(helper, folder)
        client = NotebookClient(
            notebook,
            timeout=SECONDS_A_CELL,
            kernel_name="python3",
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
            resources={"metadata": {"path": folder}},
        )
        client.execute()
    print(f"{path.name}: ran in {time.perf_counter() - started:.1f} s")
    KEPT.mkdir(parents=True, exist_ok=True)
    for old in KEPT.glob(f"{path.stem}-*.ipynb"):
        old.unlink()
    nbformat.write(notebook, kept)
    return notebook


def render(path: Path, notebook: NotebookNode) -> None:
    """Write docs/tour/<name>.md, with pictures beside it and HTML and SVG outputs inline."""
    exporter = MarkdownExporter(config=Config({"NbConvertBase": {"display_data_priority": PRIORITY}}))
    text, resources = exporter.from_notebook_node(notebook)
    for name, data in resources.get("outputs", {}).items():
        (TOUR / f"{path.stem}-{name}").write_bytes(data)
        text = text.replace(f"]({name})", f"]({path.stem}-{name})")
    (TOUR / f"{path.stem}.md").write_text(text)


PRIORITY = ["text/html", "image/svg+xml", "image/png", "text/markdown", "text/plain"]


def main() -> int:
    """Run the chosen notebooks, all of them unless told otherwise; the exit code counts those that failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=["check", "render"])
    parser.add_argument("names", nargs="*", help="file names, such as 01_resp")
    options = parser.parse_args()
    chosen = [ROOT / "notebooks" / f"{Path(name).stem}.ipynb" for name in options.names]
    if options.task == "render" and not chosen:
        rmtree(TOUR, ignore_errors=True)
    TOUR.mkdir(parents=True, exist_ok=True)

    failed = 0
    for path in chosen or sorted((ROOT / "notebooks").glob("*.ipynb")):
        problems = untidy(nbformat.read(path, as_version=4))
        try:
            notebook = run(path)
        except CellExecutionError as error:
            problems.append(str(error))
        else:
            if options.task == "render":
                render(path, notebook)
        for problem in problems:
            print(f"{path.name}: {problem}", file=sys.stderr)
        failed += bool(problems)
    return failed


if __name__ == "__main__":
    sys.exit(main())
