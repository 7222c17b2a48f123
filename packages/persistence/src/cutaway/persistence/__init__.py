"""RDB files, the append-only file and DUMP payloads, in Redis's own formats."""
