"""Directives about TLS. Each file is read again when it is set, even to the same name."""

from typing import Final

from cutaway.config.directive import Directive
from cutaway.config.values import INT_MAX, Boolean, Enum, Integer, Text

_BUS = "there is no cluster bus"
_OUTGOING = "the server makes no connections of its own"
_SESSIONS = "sessions are left to OpenSSL's own cache"

DIRECTIVES: Final = (
    Directive("tls-port", Integer(0, 65535), 0),
    Directive("tls-cert-file", Text(), "", volatile=True),
    Directive("tls-key-file", Text(), "", volatile=True),
    Directive("tls-key-file-pass", Text(), "", sensitive=True),
    Directive("tls-client-cert-file", Text(), "", _OUTGOING, volatile=True),
    Directive("tls-client-key-file", Text(), "", _OUTGOING, volatile=True),
    Directive("tls-client-key-file-pass", Text(), "", _OUTGOING, sensitive=True),
    Directive("tls-dh-params-file", Text(), "", volatile=True),
    Directive("tls-ca-cert-file", Text(), "", volatile=True),
    Directive("tls-ca-cert-dir", Text(), "", volatile=True),
    Directive("tls-auth-clients", Enum("no", "yes", "optional"), "yes"),
    Directive("tls-auth-clients-user", Enum("CN", "URI", "off"), "off"),
    Directive("tls-replication", Boolean(), False, _OUTGOING),
    Directive("tls-cluster", Boolean(), False, _BUS),
    Directive("tls-protocols", Text(), ""),
    Directive("tls-ciphers", Text(), ""),
    Directive("tls-ciphersuites", Text(), "", "Python's ssl module cannot choose the suites of TLS 1.3"),
    Directive("tls-prefer-server-ciphers", Boolean(), False),
    Directive("tls-session-caching", Boolean(), True, _SESSIONS),
    Directive("tls-session-cache-size", Integer(0, INT_MAX), 20480, _SESSIONS),
    Directive("tls-session-cache-timeout", Integer(0, INT_MAX), 300, _SESSIONS),
    Directive("tls-auto-reload-interval", Integer(0, INT_MAX), 0),
)
