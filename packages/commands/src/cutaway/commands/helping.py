"""`XX HELP`: what a container command can do, written from its own declarations.

Redis answers an array of lines: each form with its syntax, and below it, indented, what it does. Ours come from the same
syntax and docstring that COMMAND DOCS shows, so they cannot go stale.
"""

from __future__ import annotations

from cutaway.commands.clients import Client
from cutaway.resp import Reply


def help_lines(client: Client, container: str) -> Reply:
    """The lines that `<container> HELP` answers. O(subcommands)."""
    parent = client.engine.commands[container.encode()]
    lines: list[Reply] = [f"{container.upper()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"]
    for _, command in sorted(parent.subcommands.items()):
        if command.name != "help":
            lines.append(f"{command.name.upper()} {command.syntax}".rstrip())
            lines.append(f"    {command.summary}.")
    lines += ["HELP", "    Print this help."]
    return lines
