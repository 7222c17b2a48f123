"""MULTI, EXEC, WATCH: transactions with optimistic locking."""
