"""Where a server is, and how one introduces oneself there.

An address is what a person writes on a command line, as options or as one URL: a host and a port or the path of a unix
socket, perhaps TLS, and the three things that a connection is told before its first command: who we are (``AUTH``), which
protocol we speak (``HELLO``), which database we mean (``SELECT``). It is a value, so that a client that lost its
connection can open the same one again.

URLs: ``redis://[[user]:password@]host[:port][/database]``, ``rediss://`` for TLS (``valkey://`` and ``valkeys://`` are the
same), ``unix:///path/of/socket[?db=database]``. What is special in a URL is percent-encoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    import ssl

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 6379
_PLAIN: Final = {"redis", "valkey"}
_SECURE: Final = {"rediss", "valkeys"}


@dataclass(frozen=True, slots=True)
class Tls:
    """How to trust a server, and what to show it: paths of PEM files."""

    authorities: str | None = None
    authorities_folder: str | None = None
    certificate: str | None = None
    key: str | None = None
    server_name: str | None = None
    verify: bool = True
    ciphers: str | None = None

    def context(self) -> ssl.SSLContext:
        """The settings as Python's ssl wants them. Raises OSError if a file cannot be read."""
        import ssl  # noqa: PLC0415 - slow to load, and seldom needed

        context = ssl.create_default_context(cafile=self.authorities, capath=self.authorities_folder)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self.server_name is None:
            context.check_hostname = False  # as redis-cli: the chain is checked, the name only if it is given
        if self.ciphers is not None:
            context.set_ciphers(self.ciphers)
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        return context


@dataclass(frozen=True, slots=True)
class Address:
    """A server, and how to introduce oneself to it."""

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    path: str | None = None
    """Of a unix socket; then host and port mean nothing."""
    username: str | None = None
    password: str | None = None
    database: int = 0
    protocol: int = 2
    tls: Tls | None = None

    @classmethod
    def from_url(cls, url: str, protocol: int = 2) -> Address:
        """Read a URL. Raises ValueError if it is not one of ours."""
        parts = urlsplit(url)
        if parts.scheme == "unix":
            database = parse_qs(parts.query).get("db", ["0"])[0]
            return cls(path=unquote(parts.path), database=int(database), protocol=protocol)
        if parts.scheme not in _PLAIN | _SECURE:
            raise ValueError("Invalid URI scheme")
        return cls(
            host=unquote(parts.hostname or DEFAULT_HOST),
            port=parts.port or DEFAULT_PORT,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password is not None else None,
            database=int(parts.path.strip("/") or 0),
            protocol=protocol,
            tls=Tls() if parts.scheme in _SECURE else None,
        )

    def __str__(self) -> str:
        """How the prompt and error messages call it."""
        if self.path is not None:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def secure_context(self) -> ssl.SSLContext | None:
        """What asyncio wants to know of TLS, None where there is none. Raises OSError if a file cannot be read."""
        return self.tls.context() if self.tls is not None and self.path is None else None

    @property
    def secure_name(self) -> str | None:
        """The server's name, as TLS announces it; None without TLS."""
        return None if self.tls is None or self.path is not None else self.tls.server_name or self.host

    def greetings(self) -> list[tuple[bytes, ...]]:
        """The commands that a new connection begins with."""
        commands: list[tuple[bytes, ...]] = []
        if self.password is not None:
            user = () if self.username is None else (self.username.encode(),)
            commands.append((b"AUTH", *user, self.password.encode()))
        if self.database:
            commands.append((b"SELECT", b"%d" % self.database))
        if self.protocol != 2:
            commands.append((b"HELLO", b"%d" % self.protocol))
        return commands
