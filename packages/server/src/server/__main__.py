"""`python -m server [redis.conf] [--port 6379 ...]`, as `redis-server` takes its arguments."""

from cutaway.server.__main__ import main

if __name__ == "__main__":
    main()
