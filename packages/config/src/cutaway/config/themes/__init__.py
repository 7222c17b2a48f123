"""The rows of the table of directives, a module per theme of `redis.conf`."""
