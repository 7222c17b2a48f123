"""Logs, slow log, latency monitor, command statistics and metrics."""
