"""A solution of persistence.aof-replay: a cursor that raises when it runs off the end, and a list of what an open MULTI holds back."""

from __future__ import annotations


class TornError(Exception):
    """The file ends here, in the middle of something."""


class Cursor:
    """A place in the file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def line(self) -> bytes:
        """The next line, without its end."""
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise TornError
        line = self.data[self.at : end]
        self.at = end + 1
        if not line.endswith(b"\r") and not line.startswith(b"#"):
            raise ValueError("a line without its end")
        return line.removesuffix(b"\r")

    def word(self) -> bytes:
        """The next argument of a command."""
        if self.at == len(self.data):
            raise TornError
        header = self.line()
        if header[:1] != b"$" or not header[1:].isdigit():
            raise ValueError("an argument was expected")
        end = self.at + int(header[1:])
        if end + 2 > len(self.data):
            raise TornError
        word = self.data[self.at : end]
        if self.data[end : end + 2] != b"\r\n":
            raise ValueError("an argument that is longer than it says")
        self.at = end + 2
        return word

    def command(self) -> list[bytes] | None:
        """The next command; None at the end of the file."""
        header = b"#"
        while header.startswith(b"#"):
            if self.at == len(self.data):
                return None
            header = self.line()
        if header[:1] != b"*" or not header[1:].isdigit() or int(header[1:]) == 0:
            raise ValueError("a command was expected")
        return [self.word() for _ in range(int(header[1:]))]


def replay(data: bytes) -> tuple[list[list[bytes]], int]:
    """The commands that count, and the offset up to which the file does."""
    cursor = Cursor(data)
    counted: list[list[bytes]] = []
    held: list[list[bytes]] = []  # an open transaction, from its MULTI on
    whole = 0
    try:
        while (argv := cursor.command()) is not None:
            name = argv[0].upper()
            if held or name == b"MULTI":
                held.append(argv)
                if name != b"EXEC":
                    continue
                counted += held
                held = []
            else:
                counted.append(argv)
            whole = cursor.at
    except TornError:
        return counted, whole
    return (counted, whole) if held else (counted, len(data))
