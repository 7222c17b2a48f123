"""The composition root: asyncio, sockets, signals, and `python -m server`."""
