"""A client for Redis-compatible servers: a terminal, and the library underneath."""
