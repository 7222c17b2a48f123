"""The notebooks in a page with no install: build a JupyterLite into the site that was built last.

    python tools/lite.py SHELF    # SHELF keeps what npm and PyPI gave, for the next time

JupyterLite runs its kernel in Pyodide. Pyodide's own files come from npm, which carries the core alone. What the kernel
imports besides (IPython and its like, all of it plain Python) comes from PyPI, at the versions that Pyodide's lock file names; the
lock file is cut down to these, with their hashes, so that nothing is asked for elsewhere. Our packages are one more entry in it:
a cell that says `import cutaway` gets them, and a notebook needs no cell of its own for that.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import playground

ROOT = playground.ROOT
SITE = ROOT / "site" / "lite"
ROOMS = (*playground.ROOMS, "persistence", "observability", "modules", "custom", "sessions", "bloom")
KERNEL = ("micropip", "ipython", "jedi", "packaging", "pygments", "rich", "sortedcontainers")
"""What the kernel and our packages ask for, by the names of Pyodide's lock file; what these need comes with them."""
MORE = {"comm": "0.2.3"}
"""What the kernel asks for and Pyodide's lock file does not know, with versions."""
FROM_PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
NEEDS_A_PROCESS = ("cutaway.server", "python -m server", "subprocess", "os.fork", "lupa", "import redis")
"""A notebook that says one of these wants more than a page has."""
SETTINGS = {
    "jupyter-lite-schema-version": 0,
    "jupyter-config-data": {
        "appName": "Cutaway",
        "enableMemoryStorage": True,
        "contentsStorageDrivers": ["memoryStorageDriver"],
        "settingsStorageDrivers": ["memoryStorageDriver"],
        "workspacesStorageDrivers": ["memoryStorageDriver"],
        "litePluginSettings": {
            "@jupyterlite/pyodide-kernel-extension:kernel": {
                "disablePyPIFallback": True,
                "loadPyodideOptions": {"packages": ["micropip"]},
            },
        },
    },
}


def closure(lock: dict[str, dict], names: tuple[str, ...]) -> dict[str, dict]:
    """The entries of these packages and of all that they depend on. Raises KeyError for one that is not there."""
    found: dict[str, dict] = {}
    todo = [name.lower().replace("_", "-") for name in names]
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = lock[name]
            todo += [each.lower().replace("_", "-") for each in lock[name]["depends"]]
    return found


def new_entry(name: str, version: str, depends: Sequence[str] = ()) -> dict[str, object]:
    """An entry of a lock file, without the wheel's name and hash."""
    return {
        "name": name, "version": version, "file_name": "", "install_dir": "site", "sha256": "", "package_type": "package",
        "imports": [name], "depends": list(depends), "unvendored_tests": False,
    }  # fmt: skip


def download(entries: dict[str, dict], wheels: Path) -> None:
    """Get each package's wheel from PyPI, and note its hash in the entry."""
    wheels.mkdir(parents=True, exist_ok=True)
    missing = [name for name, entry in entries.items() if not [*wheels.glob(_pattern(name, entry))]]
    pins = [f"{name}=={entries[name]['version']}" for name in missing]
    if pins:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--python-version=3.14", "--dest", str(wheels), *pins]
        subprocess.run(command, check=True)
    for name, entry in entries.items():
        wheel = next(wheels.glob(_pattern(name, entry)))
        entry["file_name"] = wheel.name
        entry["sha256"] = hashlib.sha256(wheel.read_bytes()).hexdigest()


def _pattern(name: str, entry: dict) -> str:
    return f"{name.replace('-', '_')}-{entry['version']}-*.whl"


def our_wheel(wheels: Path) -> dict[str, object]:
    """Make one wheel of all packages that can live in a page; return its entry in the lock file."""
    path = wheels / "cutaway-0.1.0-py3-none-any.whl"
    roots = [ROOT / "packages" / room / "src" for room in ROOMS]
    with ZipFile(path, "w", ZIP_DEFLATED) as wheel:
        for root in roots:
            for source in sorted(root.rglob("*.py")):
                wheel.write(source, source.relative_to(root))
        about = "cutaway-0.1.0.dist-info"
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: cutaway\nVersion: 0.1.0\n")
        wheel.writestr(
            f"{about}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: cutaway\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(f"{about}/RECORD", "")
    return new_entry("cutaway", "0.1.0", ["rich", "sortedcontainers"]) | {
        "file_name": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def prepare(shelf: Path) -> Path:
    """Lay out the folder that `jupyter lite build` reads: its settings, the notebooks, and Pyodide."""
    source = shelf / "node_modules" / "pyodide"
    folder = shelf / "lite"
    pyodide = folder / "static" / "pyodide"
    shutil.rmtree(folder, ignore_errors=True)
    pyodide.mkdir(parents=True)
    for name in FROM_PYODIDE:
        shutil.copy(source / name, pyodide)
    lock = json.loads((source / "pyodide-lock.json").read_text())
    wheels = shelf / "wheels"
    lock["packages"] = closure(lock["packages"], KERNEL)
    lock["packages"] |= {name: new_entry(name, version) for name, version in MORE.items()}
    download(lock["packages"], wheels)
    lock["packages"]["cutaway"] = our_wheel(wheels)
    for entry in lock["packages"].values():
        shutil.copy(wheels / entry["file_name"], pyodide)
    (pyodide / "pyodide-lock.json").write_text(json.dumps(lock))
    (folder / "jupyter-lite.json").write_text(json.dumps(SETTINGS, indent=2))
    contents = folder / "files"
    contents.mkdir()
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if not any(word in notebook.read_text() for word in NEEDS_A_PROCESS):
            shutil.copy(notebook, contents)
    return folder


def main() -> None:
    """Build."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("shelf", type=Path)
    shelf = parser.parse_args().shelf.resolve()
    playground.fetch(shelf)
    folder = prepare(shelf)
    shutil.rmtree(SITE, ignore_errors=True)
    command = [
        sys.executable,
        "-m",
        "jupyterlite_core",
        "build",
        "--lite-dir",
        str(folder),
        "--output-dir",
        str(SITE),
    ]
    subprocess.run(
        [*command, "--apps", "lab", "--apps", "notebooks", "--no-sourcemaps"], check=True, cwd=folder
    )
    total = sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file())
    names = ", ".join(path.stem for path in sorted((folder / "files").iterdir()))
    print(f"lite: {total / 1e6:.1f} MB in {SITE.relative_to(ROOT)}, with {names}")


if __name__ == "__main__":
    main()
