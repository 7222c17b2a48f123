"""What INFO tells of certificates: the serial number, and how long they are still good.

Python's `ssl` hands a certificate file on to OpenSSL and shows nothing of it. But the two facts are easy to find. A certificate is
DER, nested triples of tag, length and contents (X.690), and begins so (RFC 5280):

    Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { [0] version, serialNumber INTEGER, signature SEQUENCE,
                               issuer SEQUENCE, validity SEQUENCE { notBefore Time, notAfter Time }, ...

Of a file with a chain the first certificate counts, which is the server's own.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
VERSION: Final = 0xA0
UTC_TIME: Final = 0x17
"""A year of two digits: from 1950 to 2049."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The two facts about one."""

    serial: str
    """Hexadecimal, in capitals, as OpenSSL prints it."""
    expires_at: int
    """Seconds since the epoch."""


def read_certificate(path: str) -> Certificate | None:
    """The first certificate of a PEM file; None where there is none, or none that can be read. O(bytes)."""
    try:
        found = PEM.search(Path(path).read_text(encoding="ascii"))
        return None if found is None else _decode(ssl.PEM_cert_to_DER_cert(found.group()))
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def _decode(der: bytes) -> Certificate:
    (_, certificate), *_ = _elements(der)
    (_, signed), *_ = _elements(certificate)
    fields = (field for field in _elements(signed) if field[0] != VERSION)
    (_, serial), _signature, _issuer, (_, validity) = (next(fields) for _ in range(4))
    _, (kind, end) = _elements(validity)
    form = "%y%m%d%H%M%SZ" if kind == UTC_TIME else "%Y%m%d%H%M%SZ"
    moment = datetime.strptime(end.decode("ascii"), form).replace(tzinfo=UTC)
    return Certificate(serial.lstrip(b"\0").hex().upper(), int(moment.timestamp()))


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, contents) of the triples that follow each other in `der`. Raises IndexError where it is cut off."""
    position = 0
    while position < len(der):
        tag, length = der[position], der[position + 1]
        position += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(der[position : position + size], "big")
            position += size
        if position + length > len(der):
            raise IndexError
        yield tag, der[position : position + length]
        position += length
