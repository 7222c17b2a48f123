"""Passwords, which are not kept.

What is kept of a password is its SHA-256, in hexadecimal: whoever reads the users' file, or the reply of ACL
LIST, cannot log in with what stands there. Why no slow hash with a salt, as one would use for passwords that
people think up? Clients authenticate with every connection, thousands of them a second, and a hash that takes
a tenth of a second would be a way to stop the server. The answer is to use passwords that cannot be guessed
at all, and ACL GENPASS makes them: 256 random bits, for which a fast hash is as good as a slow one.

Two hashes are compared in a time that does not depend on where they differ (`hmac.compare_digest`), and all
of a user's hashes are always looked at. A user who does not exist takes as long as one with a wrong password:
the time an answer takes tells nothing about who is there.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

HASH_LENGTH: Final = 64
_DIGITS: Final = frozenset(b"0123456789abcdef")


def hash_password(password: bytes) -> bytes:
    """The SHA-256 of a password, in lower-case hexadecimal. O(length)."""
    return hashlib.sha256(password).hexdigest().encode()


def is_hash(text: bytes) -> bool:
    """Whether `text` can be a hash: 64 digits, lower case."""
    return len(text) == HASH_LENGTH and _DIGITS.issuperset(text)


def is_among(password: bytes, hashes: Iterable[bytes]) -> bool:
    """Whether one of `hashes` is that of `password`; takes as long if not. O(hashes)."""
    given = hash_password(password)
    found = hmac.compare_digest(given, b"0" * HASH_LENGTH)
    for known in hashes:
        found |= hmac.compare_digest(given, known)
    return found
