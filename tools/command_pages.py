"""A hook of mkdocs: the command reference, a page for each group, made from the tables that the server is made of.

What is said of a command is what it declares and what its handler's docstring says; how it compares with the real server comes from
the table in docs/fidelity.md. Nothing is written by hand, so nothing can be forgotten: a new command is on the site at the next build.
"""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cutaway.commands.tables import Command, compose
from cutaway.server.app import TABLES

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).resolve().parent.parent
GROUPS = {
    "string": "Strings", "bitmap": "Bitmaps", "hyperloglog": "HyperLogLog", "list": "Lists", "set": "Sets", "hash": "Hashes",
    "sorted-set": "Sorted sets", "geo": "Geo", "stream": "Streams", "generic": "Keys", "transactions": "Transactions",
    "pubsub": "Publish and subscribe", "scripting": "Scripts and functions", "connection": "Connections", "server": "The server",
    "cluster": "Cluster",
}  # fmt: skip
ROW = re.compile(r"^\| ([A-Z][A-Z0-9 _-]+) \| ([\d.]+) \| (same|differs) \| (.*) \|$", re.MULTILINE)
USUAL = {"write": "writes", "readonly": "only reads"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages; mkdocs calls this once it has found the others."""
    from mkdocs.structure.files import File  # noqa: PLC0415 - the tests of this file do without mkdocs

    for name, text in pages().items():
        files.append(File.generated(config, f"commands/{name}.md", content=text))
    return files


def pages() -> dict[str, str]:
    """The Markdown of each page, by its name."""
    groups: dict[str, list[Command]] = defaultdict(list)
    for top in compose(TABLES).values():
        for command in (top, *top.subcommands.values()):
            if not command.subcommands or command.syntax:
                groups[command.group].append(command)
    status = fidelity()
    made = {"index": index(groups)}
    for group, commands in groups.items():
        commands.sort(key=title)
        sections = [section(command, status.get(title(command))) for command in commands]
        made[group] = "\n\n".join([f"# {GROUPS[group]}", *sections]) + "\n"
    return made


def fidelity() -> dict[str, tuple[str, str]]:
    """By command: whether it is the same as the real server's, and what differs."""
    text = (ROOT / "docs" / "fidelity.md").read_text()
    return {match[1]: (match[3], match[4].strip()) for match in ROW.finditer(text)}


def title(command: Command) -> str:
    """The command's name as one types it."""
    return f"{command.container} {command.name}".strip().upper()


def anchor(command: Command) -> str:
    """The fragment of its heading."""
    return title(command).lower().replace(" ", "-")


def index(groups: dict[str, list[Command]]) -> str:
    """The page that lists all commands."""
    count = sum(map(len, groups.values()))
    lead = (
        f"{count} commands and subcommands, as they are declared in the source. [How they compare](../fidelity.md) with those of a "
        "real server is tested; [the notebooks](../tour/01_resp.md) and [the packages](../packages/index.md) tell how they work."
    )
    lines = ["# Commands", f"{lead}\n{{ .lead }}"]
    for group, name in GROUPS.items():
        commands = sorted(groups.get(group, []), key=title)
        links = " · ".join(f"[`{title(each)}`]({group}.md#{anchor(each)})" for each in commands)
        lines += [f"## [{name}]({group}.md)", links]
    return "\n\n".join(lines) + "\n"


def section(command: Command, status: tuple[str, str] | None) -> str:
    """What there is to say of one command."""
    summary, _, rest = documentation(command).partition("\n\n")
    parts = [
        f"## {title(command)} {{ #{anchor(command)} }}",
        f'<pre class="syntax"><b>{title(command)}</b> {escape(command.syntax)}</pre>',
        summary,
        *([rest] if rest else []),
    ]
    if command.deprecated[0]:
        parts.append(f"Deprecated since {command.deprecated[0]}: use {command.deprecated[1]}.")
    parts.append("\n".join(f"- {line}" for line in facts(command, status)))
    return "\n\n".join(parts)


def documentation(command: Command) -> str:
    """The handler's docstring, the cost left out: that is among the facts."""
    handler = inspect.unwrap(command.handler)
    text = inspect.getdoc(handler) or command.summary
    text = re.sub(r"\s*\bO\([^\n]*\.(?=\n|$)", "", text)
    return escape(text if text.strip() else command.summary, quote=False)


def facts(command: Command, status: tuple[str, str] | None) -> list[str]:
    """A line each: cost, version, flags, categories, changes, how it compares."""
    flags = [USUAL.get(flag, flag.replace("_", " ")) for flag in sorted(command.flags)]
    found = [f"**Cost**: {command.complexity}"] if command.complexity else []
    found.append(f"**Since** {command.since}")
    if flags:
        found.append(f"**Flags**: {', '.join(flags)}")
    found.append(f"**ACL**: {' '.join(f'`@{name}`' for name in sorted(command.acl_categories))}")
    found += [f"**{version}**: {change}" for version, change in command.history]
    if status is not None:
        same = "the same as the real server's, to the byte"
        found.append(f"**Fidelity**: {same if status[0] == 'same' else status[1]}")
    module: Any = getattr(inspect.unwrap(command.handler), "__module__", "")
    if module.startswith("cutaway."):
        room = module.split(".")[1]
        found.append(f"**Source**: `{module}`, in [{room}](../packages/{room}.md)")
    return found
