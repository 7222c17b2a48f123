"""TLS: the settings of redis.conf as a context of Python's `ssl`, which can change while the server runs.

A certificate is renewed every few weeks, and nobody wants to restart a server for that. `CONFIG SET
tls-cert-file …` (to the same name, if only the contents have changed) reads the files again. But asyncio asks
for the context once, when it begins to listen. `LiveContext` is what it gets: a context that does nothing
itself, and lets every new connection use the one that is in force at that moment. Connections that are there
go on with what they agreed on. With `tls-auto-reload-interval` nobody has to say anything: every so many seconds the files are
looked at, and read again if one of them has changed.

If the new settings make no sense, CONFIG SET fails, the log says why, and everything stays as it was.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cutaway.config import Config, ConfigError

if TYPE_CHECKING:
    from cutaway.commands import Client, Engine

log: Final = logging.getLogger("cutaway.tls")

SETTINGS: Final = (
    "tls-cert-file", "tls-key-file", "tls-key-file-pass", "tls-ca-cert-file", "tls-ca-cert-dir", "tls-auth-clients",
    "tls-protocols", "tls-ciphers", "tls-prefer-server-ciphers", "tls-dh-params-file",
)  # fmt: skip
FILES: Final = tuple(name for name in SETTINGS if name.endswith(("-file", "-dir")))
PROTOCOLS: Final = {
    "tlsv1": (ssl.TLSVersion.TLSv1, ssl.OP_NO_TLSv1),
    "tlsv1.1": (ssl.TLSVersion.TLSv1_1, ssl.OP_NO_TLSv1_1),
    "tlsv1.2": (ssl.TLSVersion.TLSv1_2, ssl.OP_NO_TLSv1_2),
    "tlsv1.3": (ssl.TLSVersion.TLSv1_3, ssl.OP_NO_TLSv1_3),
}
CLIENT_CERTIFICATES: Final = {"no": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "yes": ssl.CERT_REQUIRED}
DEFAULT_PROTOCOLS: Final = "TLSv1.2 TLSv1.3"


class TLSError(Exception):
    """The settings make no context; the text says why."""


def make_context(config: Config) -> ssl.SSLContext:
    """A context for a server from the `tls-` directives. Raises TLSError. Reads the files that they name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _choose_protocols(context, config.text("tls-protocols") or DEFAULT_PROTOCOLS)
    _load_certificate(context, config)
    _judge_clients(context, config)
    if config.boolean("tls-prefer-server-ciphers"):
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    try:
        if ciphers := config.text("tls-ciphers"):
            context.set_ciphers(ciphers)
        if path := config.text("tls-dh-params-file"):
            context.load_dh_params(path)
    except (OSError, ssl.SSLError) as error:
        raise TLSError(f"tls-ciphers or tls-dh-params-file: {_reason(error)}") from error
    return context


def _choose_protocols(context: ssl.SSLContext, words: str) -> None:
    wanted = {word.lower() for word in words.split()}
    if not wanted or not wanted <= PROTOCOLS.keys():
        raise TLSError(
            f"tls-protocols is '{words}', and should name some of TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3"
        )
    versions = [version for name, (version, _) in PROTOCOLS.items() if name in wanted]
    context.minimum_version, context.maximum_version = versions[0], versions[-1]
    for name, (_, forbid) in PROTOCOLS.items():
        if name not in wanted and versions[0] < PROTOCOLS[name][0] < versions[-1]:
            context.options |= forbid


def _load_certificate(context: ssl.SSLContext, config: Config) -> None:
    certificate, key = config.text("tls-cert-file"), config.text("tls-key-file")
    for name, path in (("tls-cert-file", certificate), ("tls-key-file", key)):
        if not path:
            raise TLSError(f"{name} is not set, and TLS needs it")
    try:
        context.load_cert_chain(certificate, key, lambda: config.text("tls-key-file-pass"))
    except (OSError, ssl.SSLError) as error:
        raise TLSError(
            f"cannot use the certificate '{certificate}' with the key '{key}': {_reason(error)}"
        ) from error


def _judge_clients(context: ssl.SSLContext, config: Config) -> None:
    """Whether clients must show a certificate, and who may have signed it."""
    file, folder = config.text("tls-ca-cert-file") or None, config.text("tls-ca-cert-dir") or None
    mode = CLIENT_CERTIFICATES[config.text("tls-auth-clients")]
    if file or folder:
        try:
            context.load_verify_locations(file, folder)
        except (OSError, ssl.SSLError) as error:
            raise TLSError(f"cannot use the certificates of '{file or folder}': {_reason(error)}") from error
    elif mode is not ssl.CERT_NONE:
        raise TLSError(
            "clients are to show certificates (tls-auth-clients), and neither tls-ca-cert-file nor tls-ca-cert-dir says "
            "whose are good"
        )
    context.verify_mode = mode


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


class LiveContext(ssl.SSLContext):
    """A context that passes on every connection to the one in force. Its own settings are never used."""

    _current: ssl.SSLContext
    _looked_at: int = 0
    _state: tuple[object, ...] = ()

    def follow(self, config: Config) -> None:
        """Take the settings, now and whenever one of them changes. Raises TLSError if they make no sense now."""
        self._current = make_context(config)
        self._state = _state_of_files(config)

        def renew(_value: Any) -> None:
            try:
                self._current = make_context(config)
            except TLSError as error:
                log.warning("TLS: %s", error)
                raise ConfigError("Unable to update TLS configuration. Check server logs.") from None

        for name in SETTINGS:
            config.subscribe(name, renew)

    def look(self, config: Config, now: int) -> None:
        """Take files that have changed, if it is time to look at them; `now` is in milliseconds."""
        interval = config.integer("tls-auto-reload-interval") * 1000
        if not interval or now - self._looked_at < interval:
            return
        self._looked_at = now
        state = _state_of_files(config)
        if state == self._state:
            return
        self._state = state
        try:
            self._current = make_context(config)
        except TLSError as error:
            log.warning("TLS: the files have changed, and cannot be used: %s", error)
        else:
            log.info("TLS: the files have changed; new connections get what is in them now")

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """Begin a connection's TLS, as the context in force does it."""
        return self._current.wrap_bio(*arguments, **options)


def _state_of_files(config: Config) -> tuple[object, ...]:
    """Something that is different once one of the files is."""
    return tuple(_state(config.text(name)) for name in FILES)


def _state(path: str) -> object:
    try:
        facts = Path(path).stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_ino, facts.st_size


def live_context(config: Config) -> LiveContext:
    """A context that follows `config`. Raises TLSError."""
    context = LiveContext(ssl.PROTOCOL_TLS_SERVER)
    context.follow(config)
    return context


def recognise(engine: Engine, client: Client, transport: asyncio.BaseTransport) -> None:
    """Log a client in as the user whom its certificate names, if `tls-auth-clients-user` says so and there is such a user."""
    field = engine.config.text("tls-auth-clients-user")
    if field == "off":
        return
    certificate = transport.get_extra_info("peercert")
    for name in certified_names(certificate, field) if certificate else ():
        if engine.extras["acl"].log_in(client, name):
            log.debug(
                "a certificate makes client %s the user '%s'", client.address, name.decode(errors="replace")
            )
            return


def certified_names(certificate: Any, field: str) -> list[bytes]:
    """What a client's certificate, as Python's `ssl` shows it, calls it: its "CN", or its "URI"s."""
    if field == "URI":
        return [value.encode() for kind, value in certificate.get("subjectAltName", ()) if kind == "URI"]
    return [
        value.encode()
        for part in certificate.get("subject", ())
        for kind, value in part
        if kind == "commonName"
    ]
