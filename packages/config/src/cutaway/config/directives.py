"""The table of directives: every name that Valkey 9.1 knows, and a few of Redis 7.0 besides.

The rows live in `cutaway.config.themes`, a module per chapter of `redis.conf`; here they become one table.
A row whose `inert` is not empty is honest about itself: the directive is accepted, so that a stock
`redis.conf` loads unchanged, but nothing depends on it. `markdown_table` prints all of that for the manual,
so the manual cannot drift.
"""

from collections.abc import Iterator
from typing import Final

from cutaway.config.directive import Directive
from cutaway.config.themes import (
    cluster,
    memory,
    network,
    observability,
    persistence,
    process,
    replication,
    security,
    tls,
)

THEMES: Final = {
    "Network": network.DIRECTIVES,
    "TLS": tls.DIRECTIVES,
    "Security": security.DIRECTIVES,
    "Memory": memory.DIRECTIVES,
    "Persistence": persistence.DIRECTIVES,
    "Replication": replication.DIRECTIVES,
    "Observability": observability.DIRECTIVES,
    "Process": process.DIRECTIVES,
    "Cluster": cluster.DIRECTIVES,
}

TABLE: Final[tuple[Directive, ...]] = tuple(directive for rows in THEMES.values() for directive in rows)

OBSOLETE: Final = frozenset({"list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands"})
"""Names that a configuration file may hold with one argument, and that mean nothing any more."""


def markdown_table() -> Iterator[str]:
    """Yield the lines of a Markdown document: per theme, a table of its directives."""
    for theme, directives in THEMES.items():
        yield f"## {theme}"
        yield ""
        yield "| directive | value | default | CONFIG SET | effect |"
        yield "| --- | --- | --- | --- | --- |"
        for directive in sorted(directives, key=lambda row: row.name):
            yield _markdown_row(directive)
        yield ""


def _markdown_row(directive: Directive) -> str:
    names = f"`{directive.name}`" + (f" (`{directive.alias}`)" if directive.alias else "")
    default = directive.kind.format(directive.default)
    changes = "no" if directive.immutable else "protected" if directive.protected else "yes"
    effect = directive.effect + (f": {directive.inert}" if directive.inert else "")
    return f"| {names} | {directive.kind.name} | {f'`{default}`' if default else ''} | {changes} | {effect} |"
