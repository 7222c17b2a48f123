"""What can be done in this repository, as a table of contents: `uv run nox -l`.

Every session has an environment of its own in .nox/, filled by uv from the dependency groups and the pins of
pyproject.toml, and kept for the next time. Arguments after `--` go to the tool that the session runs:

    uv run nox -s tests -- packages/resp -k inline
    uv run nox -s serve -- --port 7000
"""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "uv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "types", "layers", "tests"]

ROOT = Path(__file__).parent
ROOMS = sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml"))
QUIET = {"NO_MKDOCS_2_WARNING": "1"}  # an advertisement, printed at every build
SOURCES = [f"packages/{room}/src" for room in ROOMS]


def equip(session: nox.Session, *groups: str, packages: bool = True) -> None:
    """Fill the session's environment with some dependency groups and, editable, the packages themselves."""
    wanted = [option for group in groups for option in ("--group", group)]
    rooms = ["--all-packages", "--all-extras"] if packages else ["--no-install-workspace"]
    session.run_install(
        "uv", "sync", "--quiet", "--no-default-groups", *wanted, *rooms,
        env={"UV_PROJECT_ENVIRONMENT": session.virtualenv.location},
        external=True,
    )  # fmt: skip


def shelf(session: nox.Session) -> Path:
    """A folder of the session's own, kept for the next run.

    Not nox's `create_tmp`: that one becomes the TMPDIR of what the session runs, and the path of a socket in it is
    longer than a socket's path may be.
    """
    folder = Path(session.cache_dir).resolve() / session.name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# -- use it -------------------------------------------------------------------------------------------------


@nox.session
def serve(session: nox.Session) -> None:
    """Start the server: `python -m server`."""
    equip(session)
    session.run("python", "-m", "server", *session.posargs)


@nox.session
def lab(session: nox.Session) -> None:
    """Open the notebooks in JupyterLab."""
    equip(session, "notebooks")
    session.run("jupyter", "lab", "--notebook-dir=notebooks", *session.posargs)


@nox.session
def site(session: nox.Session) -> None:
    """Read the documentation in a browser, rebuilt at every change."""
    equip(session, "docs", "notebooks")
    session.run("python", "tools/notebooks.py", "render")
    session.run("mkdocs", "serve", *session.posargs, env=QUIET)


# -- prove it -----------------------------------------------------------------------------------------------


@nox.session
def tests(session: nox.Session) -> None:
    """Run every package's tests, and the tests that cross packages."""
    equip(session, "dev")
    session.run("pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting with ruff."""
    equip(session, "lint", packages=False)
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types twice: mypy --strict, then pyright."""
    equip(session, "types", "dev")
    session.run("mypy", *SOURCES)
    session.run("pyright", "--pythonpath", str(Path(session.bin) / "python"))


@nox.session
def layers(session: nox.Session) -> None:
    """Hold the arrows: which package may import which, and who may open a socket."""
    equip(session, "lint")
    session.run("lint-imports", "--no-cache", "--no-logo")


@nox.session
def alone(session: nox.Session) -> None:
    """Install each package from its wheel, with nothing it did not declare, and run its tests there."""
    place = shelf(session)
    fixed = place / "constraints.txt"
    fixed.write_text("\n".join([*pins_of_the_workspace(), *addresses(wheels_of_the_workspace(session))]))
    for room in session.posargs or ROOMS:
        python = install_wheels(session, place / room, fixed, f"cutaway-{room}")
        session.run(python, "-m", "pytest", "-q", f"packages/{room}/tests", external=True)


@nox.session
def compiled(session: nox.Session) -> None:
    """Compile the packages that every request goes through, and run their tests on that: minutes, so not in `.ci/run`."""
    place = shelf(session)
    fixed = place / "constraints.txt"
    fixed.write_text("\n".join(pins_of_the_workspace()))
    session.install("--constraint", str(fixed), "mypy[mypyc]", "setuptools")
    session.run("python", "tools/compiled.py", str(place), env={"UV": shutil.which("uv") or "uv"})
    fast = {name(wheel): wheel for wheel in (place / "wheels").glob("*.whl")}
    plain = {name(wheel): wheel for wheel in wheels_of_the_workspace(session)}
    fixed.write_text("\n".join([*pins_of_the_workspace(), *addresses((plain | fast).values())]))
    python = install_wheels(session, place / "env", fixed, "cutaway-server")
    rooms = [wheel.removeprefix("cutaway_") for wheel in sorted(fast)]
    lines = "--ignore=packages/commands/tests/test_costs.py"  # it counts lines of Python: there are none
    for tests in (*(f"packages/{room}/tests" for room in rooms), "packages/server/tests/test_parts.py"):
        session.run(python, "-m", "pytest", "-q", tests, lines, *session.posargs, external=True)


@nox.session
def differential(session: nox.Session) -> None:
    """Send 200,000 random commands to our engine and to a real server, and compare every reply."""
    equip(session, "dev")
    program = "packages/commands/tests/differential.py"
    for seed in range(1, 6):
        for protocol in ("2", "3"):
            which = ["--seed", str(seed), "--protocol", protocol, "--commands", "20000"]
            session.run("python", program, *which, *session.posargs)


@nox.session
def crash(session: nox.Session) -> None:
    """Kill the server a hundred times while clients write, for each promise it makes, and compare."""
    equip(session, "dev")
    session.run("python", "packages/server/tests/crashes.py", *session.posargs)


@nox.session
def attack(session: nox.Session) -> None:
    """Attack the server with thousands of clients, and measure whether it goes on answering; `-- --help` lists the choices."""
    equip(session, "dev")
    session.run("python", "packages/server/tests/attacks.py", *session.posargs)


@nox.session
def carry(session: nox.Session) -> None:
    """Carry a hundred thousand keys of all types to redis-server and Valkey and back, in each kind of file."""
    equip(session, "dev")
    tests = ["packages/server/tests/test_carrying.py", "--timeout", "1200", "-n", "2"]
    session.run("pytest", *tests, *session.posargs, env={"CUTAWAY_CARRIED_KEYS": "100000"})


@nox.session
def clients(session: nox.Session) -> None:
    """Run libraries that others have built on Redis against the server: locks, limiters, queues, chats, Node's clients."""
    equip(session, "test")
    session.install("celery", "limits", "redlock-py", "rq")
    modules = shelf(session) / "node_modules"
    if shutil.which("npm") is None:
        session.log("npm is not installed: Node's clients are left out")
    else:
        npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(modules.parent)]
        chat = ["socket.io", "@socket.io/redis-adapter", "socket.io-client"]
        session.run_install(*npm, "bullmq", "ioredis", "redis", *chat, external=True)
    session.run("pytest", "-n", "1", "tests/clients", *session.posargs, env={"NODE_PATH": str(modules)})


@nox.session
def playground(session: nox.Session) -> None:
    """Build the playground and the notebooks that need no install into the site, and try them in a browser."""
    equip(session, "docs", "notebooks", "browser", "test")
    session.run("python", "tools/playground.py", str(shelf(session)))
    session.run("python", "tools/notebooks.py", "render")
    session.run("mkdocs", "build", "--quiet", "--strict", env=QUIET)
    session.run("python", "tools/lite.py", str(shelf(session)))
    session.run("pytest", "-n", "0", "tests/browser", *session.posargs)


@nox.session
def fidelity(session: nox.Session) -> None:
    """Write docs/fidelity.md, which compares every command with the real server's; `-- --check` only compares."""
    equip(session, "dev")
    session.run("python", "tools/fidelity.py", *session.posargs)


@nox.session
def notebooks(session: nox.Session) -> None:
    """Run every notebook from the top, in a copy, and check that none is committed with outputs."""
    equip(session, "notebooks")
    session.run("python", "tools/notebooks.py", "check", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation site, strictly, with the notebooks rendered into it."""
    equip(session, "docs", "notebooks")
    session.run("python", "tools/notebooks.py", "render")
    session.run("mkdocs", "build", "--strict", "--quiet", *session.posargs, env=QUIET)


# -- measure it, keep it fresh ------------------------------------------------------------------------------


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the server beside a real one; `-- rooms`, `-- persistence`, `-- stalls` measure more; `--help` lists the choices."""
    equip(session, "dev")
    words = session.posargs
    program, *words = words if words and not words[0].startswith("-") else ["server", *words]
    if "--compiled" in words:
        python = python_of(shelf(session).with_name("compiled") / "env")
        if not Path(python).exists():
            session.error("there is nothing compiled yet: nox -s compiled")
        words[words.index("--compiled")] = f"--compiled={python}"
    session.run("python", f"benchmarks/{program}.py", *words)


@nox.session(venv_backend="none")
def pins(session: nox.Session) -> None:
    """Move every dependency to its newest version and write the pins of pyproject.toml anew."""
    session.run("python", "tools/pins.py", external=True)


def pins_of_the_workspace() -> list[str]:
    """The versions that pyproject.toml pins."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return [str(pin) for pin in pyproject["tool"]["uv"]["constraint-dependencies"]]


def wheels_of_the_workspace(session: nox.Session) -> list[Path]:
    """A wheel of every package, built anew."""
    wheels = shelf(session) / "plain"
    shutil.rmtree(wheels, ignore_errors=True)
    session.run_install(
        "uv", "build", "--quiet", "--all-packages", "--wheel", "--out-dir", str(wheels), external=True
    )
    return sorted(wheels.glob("*.whl"))


def addresses(wheels: Iterable[Path]) -> list[str]:
    """Where the packages are to come from, in the words of a requirement."""
    return [f"{name(wheel)} @ {wheel.as_uri()}" for wheel in wheels]


def install_wheels(session: nox.Session, place: Path, fixed: Path, package: str) -> str:
    """A fresh environment with a package, what it needs, and what tests need; the path of its Python."""
    python = python_of(place)
    into = ["--quiet", "--no-sources", "--python", python, "--constraint", str(fixed), "--group", "test"]
    session.run_install("uv", "venv", "--quiet", "--clear", str(place), external=True)
    session.run_install("uv", "pip", "install", *into, package, external=True)
    return python


def python_of(place: Path) -> str:
    """The path of an environment's Python."""
    return str(place / ("Scripts" if sys.platform == "win32" else "bin") / "python")


def name(wheel: Path) -> str:
    """The distribution a wheel's file name starts with."""
    return wheel.name.partition("-")[0]
