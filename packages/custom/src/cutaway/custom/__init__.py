"""CUSTOM.*: a hash map in a namespace of its own, beside the keyspace. A first module, to read from top to bottom.

What it stores is no key: KEYS does not list it, FLUSHALL leaves it alone, and no eviction touches it. It is the module's
*state*, a dictionary. That it survives a restart takes three functions: one that turns the state to tokens for an RDB
file, one that takes them back, and one that says it in commands for a log of commands. In between, each write is logged as
it was sent, which is all that `ctx.changed()` asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from cutaway.modules import Context, Module, Reply, Token

Store = dict[bytes, bytes]

module: Final = Module("custom", version=1, state=dict)


@module.command("CUSTOM.SET", flags="write denyoom fast", syntax="key value")
def set_(ctx: Context, key: bytes, value: bytes) -> Reply:
    """Stores a value under a key of the custom namespace. O(1)."""
    ctx.state[key] = value
    ctx.changed()
    return "OK"


@module.command("CUSTOM.GET", flags="readonly fast", syntax="key")
def get(ctx: Context, key: bytes) -> Reply:
    """Returns the value of a key of the custom namespace, or nil. O(1)."""
    store: Store = ctx.state
    return store.get(key)


@module.command("CUSTOM.DEL", flags="write fast", syntax="key [key ...]")
def delete(ctx: Context, key: bytes, *more: bytes) -> Reply:
    """Removes keys from the custom namespace and returns how many there were. O(N) where N is the number of keys."""
    gone = sum(ctx.state.pop(each, None) is not None for each in (key, *more))
    if gone:
        ctx.changed()
    return gone


@module.command("CUSTOM.EXISTS", flags="readonly fast", syntax="key [key ...]")
def exists(ctx: Context, key: bytes, *more: bytes) -> Reply:
    """Returns how many of the keys are in the custom namespace. O(N) where N is the number of keys."""
    return sum(each in ctx.state for each in (key, *more))


def save(store: Store) -> Iterable[Token]:
    """The state as tokens: how many pairs, then key, value, key, value …. O(n)."""
    yield len(store)
    for key, value in store.items():
        yield key
        yield value


def load(store: Store, tokens: Iterator[Token], _version: int) -> None:
    """Fill `store` from tokens. Raises StopIteration or TypeError if they are not what `save` gives. O(n)."""
    count = next(tokens)
    for _ in range(int(count)):
        key, value = next(tokens), next(tokens)
        if not isinstance(key, bytes) or not isinstance(value, bytes):
            raise TypeError("a key or a value that is no string")
        store[key] = value


def rewrite(store: Store) -> Iterable[Sequence[bytes]]:
    """The state as commands. O(n)."""
    for key, value in store.items():
        yield b"CUSTOM.SET", key, value


module.persist_state("cutaway-c", save=save, load=load, rewrite=rewrite)
