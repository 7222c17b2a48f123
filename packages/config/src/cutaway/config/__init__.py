"""The table of directives, and a redis.conf reader and rewriter."""
