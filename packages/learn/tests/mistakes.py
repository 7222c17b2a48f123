"""A mistake that more than one file of tests is about."""

from __future__ import annotations

from cutaway.learn.solutions import resp_parser


class SearchesForLineEnds(resp_parser.Parser):
    def _read_argument(self, requests: list[list[bytes]]) -> bool:
        start = self._buffer.find(b"\r\n") + 2
        end = self._buffer.find(b"\r\n", start)
        if start < 2 or end < 0:
            return False
        self._arguments.append(self._buffer[start:end])
        self._buffer = self._buffer[end + 2 :]
        self._missing -= 1
        if not self._missing:
            requests.append(self._arguments)
            self._arguments = []
        return True
