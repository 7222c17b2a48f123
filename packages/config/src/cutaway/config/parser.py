"""Reader of `redis.conf` and of the server's command line. Both become the same thing: a list of lines.

Redis treats its command line as a few more lines of the file: `redis-server my.conf - --port 7000 --save
''` reads `my.conf`, then standard input if there is a lone `-`, then the lines `port 7000` and `save ""`.
All three are one text with one count of lines, and so an error on the command line reports a line number
beyond the end of the file. The last line that sets a directive wins.

A file may `include` others, by a path or a pattern of paths; a path must exist, a pattern may match
nothing. An included file counts its own lines. What a line means is not decided here: a `Line` carries its
words and where it came from, and `Settings` sorts them into directives of the table (which `Config` takes)
and the few that only a file can hold: `user`, `loadmodule`, `rename-command`.

Nothing here opens a file: `read` and `expand` are given, and so a test can keep a whole tree of files in a
dict.

Source: `loadServerConfigFromString` and `main` of Redis 7.2.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from cutaway.config.config import Config
from cutaway.config.quoting import quote, split
from cutaway.config.values import ConfigError

Read: TypeAlias = Callable[[str], str]
Expand: TypeAlias = Callable[[str], Sequence[str]]

_DEEPEST_INCLUDE: Final = 16
_MARKS_OF_A_PATTERN: Final = frozenset("*?[")
_BLANKS: Final = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Line:
    """One line that says something: its words, the first in lower case, and where it stands."""

    words: tuple[str, ...]
    number: int
    text: str

    @property
    def name(self) -> str:
        """The directive."""
        return self.words[0]

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows the directive."""
        return self.words[1:]


class ConfigFileError(ConfigError):
    """A configuration that cannot be used. `report(version)` is what the server prints before it exits."""

    def __init__(self, reason: str, number: int = 0, text: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.number = number
        self.text = text

    def report(self, product: str) -> str:
        """Return the lines for standard error; `product` is a name and version, such as `Redis 7.2.6`."""
        place = (
            f"Reading the configuration file, at line {self.number}\n>>> '{self.text}'\n"
            if self.number
            else ""
        )
        return f"\n*** FATAL CONFIG FILE ERROR ({product}) ***\n{place}{self.reason}\n"


def parse_text(text: str) -> Iterator[Line]:
    """Yield the lines that say something. Raises ConfigFileError at unbalanced quotes. O(n)."""
    for number, raw in enumerate(text.split("\n"), 1):
        stripped = raw.strip(_BLANKS)
        if not stripped or stripped.startswith("#"):
            continue
        words = split(stripped)
        if words is None:
            raise ConfigFileError("Unbalanced quotes in configuration line", number, stripped)
        if words:
            yield Line((words[0].lower(), *words[1:]), number, stripped)


def parse_arguments(arguments: Sequence[str]) -> tuple[str | None, bool, str]:
    """Return the configuration file, whether to read standard input, and the options as text of such a file.

    `arguments` are those after the program's own name. O(n).
    """
    path = None
    rest = list(arguments)
    if rest and not rest[0].startswith("-"):
        path = rest.pop(0)
    return (path, *_parse_options(rest, first_may_be_stdin=path is None))


def _parse_options(arguments: list[str], *, first_may_be_stdin: bool) -> tuple[bool, str]:
    from_stdin = False
    lines: list[str] = []
    wants_value = False
    for at, argument in enumerate(arguments):
        last = at == len(arguments) - 1
        if argument == "-" and (last or (at == 0 and first_may_be_stdin)):
            from_stdin = True
        elif argument.startswith("--") and not wants_value:
            followed_by_option = not last and arguments[at + 1].startswith("--")
            line, wants_value = _start_option(argument, last=last, followed_by_option=followed_by_option)
            lines.append(line)
        else:
            lines.append((lines.pop() if lines else "") + quote(argument) + " ")
            wants_value = False
    return from_stdin, "\n".join(lines)


def _start_option(argument: str, *, last: bool, followed_by_option: bool) -> tuple[str, bool]:
    """Return the line an option starts, and whether a value must follow, even if it starts with `--`."""
    line = argument[2:] + " "
    words = split(argument)
    if words is None or len(words) != 1:
        return line, False
    if argument.lower() == "--save" and (last or followed_by_option):
        return line + '""', False
    return line, not (followed_by_option and argument.lower() == "--sentinel")


@dataclass(slots=True)
class Settings:
    """A whole configuration, read but not yet in force: what goes to `Config`, and what goes to others."""

    config: Config
    users: list[Line] = field(default_factory=list)
    """`user <name> <rule> …`, for the ACL."""
    modules: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """`loadmodule <path> <argument> …`."""
    renamed: list[tuple[str, str]] = field(default_factory=list)
    """`rename-command <from> <to>`; an empty `to` removes the command."""
    module_directives: dict[str, str] = field(default_factory=dict)
    """`<module>.<name> <value>`, to be set when the module has registered it."""

    def load(self, text: str, read: Read, expand: Expand, *, depth: int = 0) -> None:
        """Take every line of `text`, and of the files it includes. Raises ConfigFileError."""
        for line in parse_text(text):
            try:
                self._take(line, read, expand, depth)
            except ConfigFileError:
                raise
            except ConfigError as error:
                raise ConfigFileError(str(error), line.number, line.text) from None

    def load_arguments(
        self, arguments: Sequence[str], read: Read, read_stdin: Callable[[], str], expand: Expand
    ) -> str | None:
        """Take a whole command line; return the path of its configuration file. Raises ConfigFileError."""
        path, from_stdin, options = parse_arguments(arguments)
        text = read_file(path, read) if path is not None else ""
        self.load(text + (read_stdin() if from_stdin else "") + "\n" + options, read, expand)
        return path

    def _take(self, line: Line, read: Read, expand: Expand, depth: int) -> None:
        match line.words:
            case (name, *arguments) if name in self.config:
                self.config.load(name, self._split_single(name, arguments))
            case ("include", path):
                self._include(path, read, expand, depth)
            case ("rename-command", name, new_name):
                self.renamed.append((name, new_name))
            case ("user", _, *_):
                self.users.append(line)
            case ("loadmodule", path, *arguments):
                self.modules.append((path, tuple(arguments)))
            case (name, *arguments) if "." in name:
                if not arguments:
                    raise ConfigError("Module config specified without value")
                self.module_directives[name] = " ".join(arguments)
            case ("sentinel",):
                pass
            case ("sentinel", *_):
                raise ConfigError("sentinel directive while not in sentinel mode")
            case (name, *arguments):
                self.config.load(name, arguments)

    def _split_single(self, name: str, arguments: list[str]) -> list[str]:
        """A directive of several words may get them as one, quoted: `--save "60 1"`."""
        if len(arguments) == 1 and arguments[0] and self.config.directive(name).kind.multiple:
            return split(arguments[0]) or []
        return arguments

    def _include(self, path: str, read: Read, expand: Expand, depth: int) -> None:
        if depth == _DEEPEST_INCLUDE:
            raise ConfigError(f"Too many nested includes, at '{path}'")
        paths = [path] if _MARKS_OF_A_PATTERN.isdisjoint(path) else expand(path)
        self.load("".join(read_file(name, read) for name in paths), read, expand, depth=depth + 1)


def read_file(path: str, read: Read) -> str:
    """Return the text of a configuration file. Raises ConfigFileError in the words of Redis's log."""
    try:
        return read(path)
    except OSError as error:
        raise ConfigFileError(f"Fatal error, can't open config file '{path}': {error.strerror}") from error
