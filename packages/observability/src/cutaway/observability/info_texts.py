"""INFO's text: sections of `name:value` lines, written here and read back here.

The text is made for people and for scripts of one line. A section begins with `# Name`, a field is a line, an empty line parts
two sections, and every line ends with CRLF. It is one bulk string, so a reader has to take it apart: `parse` does, for the
metrics and for the dashboard, with the text of any Redis-compatible server.

Some fields have a value with an inner structure, `cmdstat_get:calls=1,usec=2,...` or `db0:keys=1,expires=0`: `details` splits that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

Fields = Mapping[str, object]
Section = Callable[[], Fields]

ALL: Final = frozenset({"all", "everything"})
UNITS: Final = "KMGTP"


def chosen(names: Sequence[str], known: Iterable[str], default: Iterable[str]) -> list[str]:
    """Which sections INFO's arguments ask for, in the order in which they are shown.

    No argument is "default"; "all" and "everything" mean every section. What there is not is left out in silence.
    """
    wanted = {name.lower() for name in names}
    if wanted & ALL:
        return list(known)
    if not wanted or "default" in wanted:
        wanted.update(default)
    return [name for name in known if name in wanted]


def written(sections: Iterable[tuple[str, Fields]]) -> str:
    """INFO's text: (title, fields) for each section. A field whose value is a list has a line for each item. O(fields)."""
    return "\r\n".join(
        f"# {title}\r\n" + "".join(line for name, value in fields.items() for line in _lines(name, value))
        for title, fields in sections
    )


def _lines(name: str, value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [f"{name}:{text(each)}\r\n" for each in values]


def text(value: object) -> str:
    """A value as INFO shows it: truth as 1 and 0, fractions with two digits."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return f"{value:.2f}"
    return str(value)


def parse(info: str) -> dict[str, str]:
    """All fields of an INFO text, whatever their section. Lines that are no fields are passed over. O(lines)."""
    fields: dict[str, str] = {}
    for line in info.splitlines():
        name, colon, value = line.partition(":")
        if colon and not line.startswith("#"):
            fields[name] = value
    return fields


def details(value: str) -> dict[str, str]:
    """The inner fields of a value: "keys=1,expires=0" as a dict."""
    return dict(pair.split("=", 1) for pair in value.split(",") if "=" in pair)


def human(size: float) -> str:
    """Bytes as a person reads them: "320B", "1.04M". O(1)."""
    if size < 1024:
        return f"{int(size)}B"
    for unit in UNITS:
        size /= 1024
        if size < 1024 or unit == UNITS[-1]:
            return f"{size:.2f}{unit}"
    raise AssertionError


def share(part: float, whole: float) -> str:
    """A percentage as INFO shows it: "99.05%"."""
    return f"{100 * part / whole if whole else 0:.2f}%"
