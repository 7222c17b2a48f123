"""Write docs/fidelity.md: every command of the real server, and how ours compares.

    python tools/fidelity.py            # write it
    python tools/fidelity.py --check    # fail if what is there is not what would be written

The list of commands is the real server's own (COMMAND LIST, with the groups of COMMAND DOCS), ours is what the rooms declare. That the
declarations are the same (arity, flags, keys, categories, arguments, …) is tested in packages/commands/tests/test_tables.py; its list of intended
exceptions goes into the table too. What a comparison cannot find out by itself stands in fidelity.toml.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from cutaway.testing import MissingServerError, RealServer

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "fidelity.md"
sys.path.insert(0, str(ROOT / "packages" / "commands" / "tests"))

from test_tables import INTENDED, OURS  # type: ignore[import-not-found]  # noqa: E402

HEAD = """<!-- written by tools/fidelity.py: `nox -s fidelity` -->
# Fidelity

**The reference is a real server.** Tests start one beside Cutaway, send both the same requests, and compare the bytes
of the replies. Two are used: Valkey 9.1, whose binary comes with the development dependencies, and Redis 7, where
`redis-server` is installed. Where the two differ, Cutaway follows Valkey in what is new there and Redis in the rest,
unless this page says otherwise. What is not on this page and differs is a bug.

What *same* rests on: every command's declaration is compared with COMMAND INFO and COMMAND DOCS; random sequences of the
data commands get the same bytes (`nox -s differential`: 200,000 commands in RESP2 and RESP3, encodings, expiries
and DUMPs included); each group has tests of its ordinary cases, options and errors beside the real server; and the
suite of Redis 7.2 runs against it.
"""


def facts() -> dict[str, dict[str, str]]:
    """Group and first version of each command of the real server, by full name."""
    try:
        with RealServer("valkey") as server, server.connect() as peer:
            return dict(_described(peer.ask("COMMAND", "DOCS")))
    except MissingServerError as missing:
        sys.exit(str(missing))


def _described(told: list[Any]) -> Iterator[tuple[str, dict[str, str]]]:
    for name, flat in zip(told[::2], told[1::2], strict=True):
        known = dict(zip(flat[::2], flat[1::2], strict=True))
        yield name.decode(), {"group": known[b"group"].decode(), "since": known[b"since"].decode()}
        yield from _described(known.get(b"subcommands", []))


def first_match(name: str, notes: Mapping[str, str]) -> str:
    """The note of the first pattern that the name matches; the empty string if there is none."""
    return next((note for pattern, note in notes.items() if fnmatchcase(name, pattern)), "")


def judged(name: str, notes: Mapping[str, Mapping[str, str]]) -> tuple[str, str]:
    """Whether our command is the same, and if not, how it differs or why it is missing."""
    if name not in OURS:
        return "missing", first_match(name, notes["missing"])
    declared = {f"{fact}: {why}" for (command, fact), why in INTENDED.items() if command == name}
    how = first_match(name, notes["differs"]) or "; ".join(sorted(declared))
    return ("differs", how) if how else ("same", "")


def page() -> str:
    """The whole page."""
    notes = tomllib.loads((ROOT / "tools" / "fidelity.toml").read_text())
    real = facts()
    for kind in ("differs", "missing"):
        for pattern in notes[kind]:
            if not any(fnmatchcase(name, pattern) and (name in OURS) == (kind == "differs") for name in real):
                sys.exit(f"fidelity.toml says of {pattern} what is no more: {kind}")
    verdicts = {name: judged(name, notes) for name in real}
    count = {
        word: sum(verdict == word for verdict, _ in verdicts.values())
        for word in ("same", "differs", "missing")
    }
    total = (
        f"Of the {len(real)} commands and subcommands of Valkey 9.1, {count['same']} are the same, {count['differs']} "
        f"differ in something, {count['missing']} are missing."
    )
    lines = [
        HEAD,
        total,
        "",
        "## Known differences",
        "",
        *(f"**{each['what']}.** {each['how']}\n" for each in notes["otherwise"]),
        "## Commands",
    ]
    for group in sorted({each["group"] for each in real.values()}):
        lines += [
            "",
            f"### {group}",
            "",
            "| Command | Since | Here | How it differs, or why it is missing |",
            "| --- | --- | --- | --- |",
        ]
        for name in sorted(name for name, each in real.items() if each["group"] == group):
            verdict, why = verdicts[name]
            lines.append(f"| {name.upper().replace('|', ' ')} | {real[name]['since']} | {verdict} | {why} |")
    extra = sorted(name.upper().replace("|", " ") for name in OURS if name not in real)
    if extra:
        lines += ["", "### Only here", "", ", ".join(extra)]
    return "\n".join([*lines, ""])


def main() -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="fail if the page is not up to date")
    text = page()
    if parser.parse_args().check:
        if PAGE.read_text() != text:
            print(f"{PAGE.relative_to(ROOT)} is out of date: run nox -s fidelity")
            return 1
        return 0
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
