"""The request parser's second body: `hiredis`, where it is installed."""

from __future__ import annotations

from cutaway.resp.parser import RequestParser


def best_request_parser() -> type[RequestParser]:
    """Return the fastest parser class this environment has."""
    return RequestParser
