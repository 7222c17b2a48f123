"""Put the playground's Python, terminal and packages where its page finds them: docs/assets/playground/vendor.

    python tools/playground.py SHELF    # SHELF keeps what npm gave, for the next time

`pyodide`, `@xterm/xterm` and `@xterm/addon-fit` come from npm; our own packages, and the one library that they need in a page,
go into a zip file that Python unpacks there. All of it is copied, so the page loads nothing from elsewhere.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import sortedcontainers

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "docs" / "assets" / "playground" / "vendor"
NPM = ("pyodide@314.0.6", "@xterm/xterm@6.0.0", "@xterm/addon-fit@0.11.0")
FILES = (
    "pyodide/pyodide.mjs", "pyodide/pyodide.asm.mjs", "pyodide/pyodide.asm.wasm", "pyodide/python_stdlib.zip",
    "pyodide/pyodide-lock.json", "@xterm/xterm/lib/xterm.mjs", "@xterm/xterm/css/xterm.css", "@xterm/addon-fit/lib/addon-fit.mjs",
)  # fmt: skip
ROOMS = (
    "acl", "client", "commands", "config", "datastructures", "playground", "pubsub", "resp", "scripting", "transactions", "viz",
)  # fmt: skip


def fetch(shelf: Path) -> None:
    """Get from npm what the shelf lacks. Ends the program if there is no npm."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is not installed; it brings Python for WebAssembly (pyodide) and the terminal (xterm)")
    shelf.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(shelf), *NPM]
    subprocess.run(command, check=True)


def pack(archive: Path) -> None:
    """Write the sources that run in the page into a zip file, as they would lie in site-packages."""
    roots = [ROOT / "packages" / room / "src" for room in ROOMS]
    sources = [(path, path.relative_to(root)) for root in roots for path in sorted(root.rglob("*.py"))]
    library = Path(sortedcontainers.__file__).parent
    sources += [(path, path.relative_to(library.parent)) for path in sorted(library.glob("*.py"))]
    with ZipFile(archive, "w", ZIP_DEFLATED) as packed:
        for path, name in sources:
            packed.write(path, name)


def place(shelf: Path) -> None:
    """Fill the folder of the site anew."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    for name in FILES:
        shutil.copy(shelf / "node_modules" / name, VENDOR)
    pack(VENDOR / "packages.zip")
    total = sum(path.stat().st_size for path in VENDOR.iterdir())
    print(f"playground: {total / 1e6:.1f} MB in {VENDOR.relative_to(ROOT)}")


def main() -> None:
    """Build."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("shelf", type=Path)
    shelf = parser.parse_args().shelf
    fetch(shelf)
    place(shelf)


if __name__ == "__main__":
    main()
