"""EVAL, functions and the Lua sandbox."""
