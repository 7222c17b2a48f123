"""Build wheels of the rooms that every request goes through, compiled by mypyc from the same source.

    python tools/compiled.py FOLDER              FOLDER/wheels gets a wheel of each room in MODULES

mypyc makes a C extension of a module that has types, and leaves the module beside it in the wheel. Here that is done with a
copy of each package, below FOLDER: an extension module must never come to lie in `src`, where it would win over the source, and
an edit would have no effect.

Each room is compiled for itself, and sees the others as it would see any Python code. Calls within a room are C calls, calls
from one to another are not. That costs some of the gain, but each wheel can be installed, replaced and tested alone.

What differs from the source is written here and nowhere else: a compiled class may be inherited from in Python only if it says
so, hence `OPEN`. Which modules are compiled stands in `MODULES`; the others are either not hot, or meet a limit of mypyc
(docs/performance.md says which: a command's documentation, above all, is its handler's docstring, and mypyc drops that).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = {
    "resp": "doubles encoder inline limits",
    "datastructures": (
        "dicts field_expiries hash_values intsets limits list_values listpack_entries listpacks quicklists set_values "
        "sorted_set_listpacks sorted_set_values"
    ),
    "commands": "arguments blocking clients effects engine errors expiry keyspaces options",
}
OPEN = ("Database", "Dict", "Encoder", "ListPack", "SetValue")
"""What a reader's own class may inherit from."""

OPENED = re.compile(rf"^(?=class (?:{'|'.join(OPEN)})\b)", re.MULTILINE)
FIRST_IMPORT = re.compile(r"^from __future__ import annotations\n", re.MULTILINE)
SETUP = """
from mypyc.build import mypycify
from setuptools import setup

setup(ext_modules=mypycify(
    ["--config-file=mypy.ini", *{sources!r}], only_compile_paths={compiled!r}, opt_level="2", debug_level="0",
))
"""
MYPY = """
[mypy]
explicit_package_bases = True
namespace_packages = True
implicit_reexport = True
ignore_missing_imports = True
mypy_path = {path}
"""


def copy(room: str, folder: Path) -> Path:
    """A copy of a package that setuptools can build: its own pyproject.toml, another build backend, a setup.py."""
    place = folder / room
    shutil.copytree(ROOT / "packages" / room, place, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    inside = Path("src/cutaway") / room
    sources = sorted(str(path.relative_to(place)) for path in (place / inside).glob("*.py"))
    compiled = [str(inside / f"{module}.py") for module in MODULES[room].split()]
    for module in compiled:
        open_up(place / module)
    others = [str(path) for path in ROOT.glob("packages/*/src") if path.parent.name != room]
    (place / "mypy.ini").write_text(MYPY.format(path=":".join(["src", *others])))
    (place / "setup.py").write_text(SETUP.format(sources=sources, compiled=compiled))
    project = (place / "pyproject.toml").read_text()
    project = project.replace('requires = ["hatchling"]', 'requires = ["mypy[mypyc]", "setuptools"]')
    project = project.replace("hatchling.build", "setuptools.build_meta")
    project = project.replace("dependencies = [", 'dependencies = [\n    "mypy-extensions",', 1)
    (place / "pyproject.toml").write_text(project + '\n[tool.setuptools.packages.find]\nwhere = ["src"]\n')
    return place


def open_up(module: Path) -> None:
    """Let Python code inherit from the classes of a module that are parts to be swapped."""
    text, count = OPENED.subn("@mypyc_attr(allow_interpreted_subclasses=True)\n", module.read_text())
    if count:
        text = FIRST_IMPORT.sub(r"\g<0>\nfrom mypy_extensions import mypyc_attr\n", text)
        module.write_text(text)


def main() -> None:
    """Build the wheels, in a fresh folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "rooms", nargs="*", default=list(MODULES), help=f"which of {', '.join(MODULES)}; all by default"
    )
    arguments = parser.parse_args()
    copies, wheels = arguments.folder / "copies", arguments.folder / "wheels"
    if arguments.folder.resolve().is_relative_to(ROOT / "packages"):
        parser.error("the folder must not be among the sources")
    shutil.rmtree(copies, ignore_errors=True)
    wheels.mkdir(parents=True, exist_ok=True)
    build = [
        os.environ.get("UV", "uv"),
        "build",
        "--quiet",
        "--wheel",
        "--no-build-isolation",
        "--python",
        sys.executable,
    ]
    for room in arguments.rooms:
        for stale in wheels.glob(f"cutaway_{room}-*.whl"):
            stale.unlink()
        subprocess.run([*build, "--out-dir", str(wheels.resolve()), str(copy(room, copies))], check=True)
        print(*(wheel.name for wheel in wheels.glob(f"cutaway_{room}-*.whl")))


if __name__ == "__main__":
    main()
