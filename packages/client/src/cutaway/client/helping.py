"""HELP, answered from the manual without troubling the server."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

from cutaway.client.manual import Manual, Page

GENERAL: Final = """\
Type a command as the Redis manual writes it: SET greeting hello EX 60

  Tab                 complete a command, or an option that fits here
  Up, Ctrl-R          what was typed before
  5 INCR visits       run a command five times
  help SET            what a command does, and how it is written
  help @list          all commands of a group:
{groups}
  :set wire           show the bytes of each request and reply (:set nowire)
  :set nohints        no grey hints behind the cursor (:set hints)
  connect HOST PORT   talk to another server
  clear               clear the screen
  quit                leave; so does Ctrl-D

Messages of subscriptions, and MONITOR, appear above the prompt; Ctrl-C ends them. Settings that should always
hold go into ~/.redisclirc, a line each."""


def help_text(manual: Manual, words: Sequence[str], *, styled: bool = True) -> str:
    """The text of ``HELP words``, with the escape codes of a terminal if `styled`."""
    if not words:
        groups = " ".join("@" + name for name in manual.groups()) or "@string ..."
        margin = " " * 22
        return GENERAL.format(
            groups=textwrap.fill(
                groups, 100, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False
            )
        )
    pages = list(manual.look_up(words))
    if not pages:
        return f"No help for {' '.join(words)}: the server's manual does not have it."
    return "\n".join(_page(page, styled=styled, with_group=not words[0].startswith("@")) for page in pages)


def _page(page: Page, *, styled: bool, with_group: bool) -> str:
    bold, grey, yellow, plain = ("\x1b[1m", "\x1b[90m", "\x1b[33m", "\x1b[0m") if styled else ("",) * 4
    fields = [("summary", page.summary), ("since", page.since)]
    if with_group:
        fields += [("complexity", page.complexity), ("group", page.group)]
    lines = ["", f"  {bold}{page.name}{plain} {grey}{page.syntax}{plain}".rstrip()]
    lines += [f"  {yellow}{name}:{plain} {value}" for name, value in fields if value]
    return "\n".join(lines)
