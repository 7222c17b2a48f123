"""`python -m server` starts Cutaway. The server itself is the package `cutaway.server`."""
