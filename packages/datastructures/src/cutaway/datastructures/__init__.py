"""The structures Redis keeps its values in, each readable, checkable and alone."""
