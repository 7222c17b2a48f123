"""The commands of publish/subscribe: SUBSCRIBE and its kin, PUBLISH, PUBSUB.

SUBSCRIBE has no reply of its own. For each channel it sends a confirmation that looks like a message
(`subscribe`, the name, how many subscriptions the client has now), and in RESP3 is one: an out-of-band push.
A command with three channels is therefore answered three times, a thing that no other command does, and that
inside MULTI/EXEC breaks the count of replies. It is kept because every client library relies on it.
"""

from __future__ import annotations

from typing import Final

from cutaway.commands import Client, CommandError, CommandTable, errors
from cutaway.commands.helping import help_lines
from cutaway.commands.key_specs import KeySpec
from cutaway.pubsub.channels import Names, hub_of
from cutaway.resp import Push, Reply, Several

pubsub: Final = CommandTable("pubsub")

FLAGS: Final = "pubsub noscript loading stale"
SHARD_CHANNELS: Final = KeySpec(("not_key",), 1, last=-1)
SHARD_CHANNEL: Final = KeySpec(("not_key",), 1)


def _answer(confirmations: list[Push]) -> Reply:
    return confirmations[0] if len(confirmations) == 1 else Several(confirmations)


@pubsub.command("SUBSCRIBE", arity=-2, flags=FLAGS, syntax="channel [channel ...]", since="2.0.0")
def subscribe(client: Client, *channels: bytes) -> Reply:
    """Listens to channels. O(n) for n channels."""
    hub = hub_of(client.engine)
    return _answer(hub.subscribe(client, hub.channels, channels))


@pubsub.command("PSUBSCRIBE", arity=-2, flags=FLAGS, syntax="pattern [pattern ...]", since="2.0.0")
def psubscribe(client: Client, *patterns: bytes) -> Reply:
    """Listens to all channels that match glob-style patterns. O(n) for n patterns."""
    hub = hub_of(client.engine)
    return _answer(hub.subscribe(client, hub.patterns, patterns))


@pubsub.command("SSUBSCRIBE", arity=-2, flags=FLAGS, keys=SHARD_CHANNELS,
                syntax="shardchannel [shardchannel ...]", since="7.0.0")  # fmt: skip
def ssubscribe(client: Client, *channels: bytes) -> Reply:
    """Listens to shard channels. O(n) for n channels."""
    hub = hub_of(client.engine)
    return _answer(hub.subscribe(client, hub.shard_channels, channels))


@pubsub.command("UNSUBSCRIBE", arity=-1, flags=FLAGS, syntax="[channel [channel ...]]", since="2.0.0")
def unsubscribe(client: Client, *channels: bytes) -> Reply:
    """Stops listening to these channels, or to all. O(n) for n channels."""
    hub = hub_of(client.engine)
    return _answer(hub.unsubscribe(client, hub.channels, channels))


@pubsub.command("PUNSUBSCRIBE", arity=-1, flags=FLAGS, syntax="[pattern [pattern ...]]", since="2.0.0")
def punsubscribe(client: Client, *patterns: bytes) -> Reply:
    """Stops listening to these patterns, or to all. O(n) for n patterns."""
    hub = hub_of(client.engine)
    return _answer(hub.unsubscribe(client, hub.patterns, patterns))


@pubsub.command("SUNSUBSCRIBE", arity=-1, flags=FLAGS, keys=SHARD_CHANNELS,
                syntax="[shardchannel [shardchannel ...]]", since="7.0.0")  # fmt: skip
def sunsubscribe(client: Client, *channels: bytes) -> Reply:
    """Stops listening to these shard channels, or to all. O(n) for n channels."""
    hub = hub_of(client.engine)
    return _answer(hub.unsubscribe(client, hub.shard_channels, channels))


@pubsub.command("PUBLISH", arity=3, flags="pubsub loading stale fast may_replicate", syntax="channel message",
                since="2.0.0")  # fmt: skip
def publish(client: Client, channel: bytes, message: bytes) -> Reply:
    """Sends a message to all who listen to a channel. O(n + m) for n listeners and m patterns."""
    return hub_of(client.engine).publish(channel, message)


@pubsub.command("SPUBLISH", arity=3, flags="pubsub loading stale fast may_replicate", keys=SHARD_CHANNEL,
                syntax="shardchannel message", since="7.0.0")  # fmt: skip
def spublish(client: Client, channel: bytes, message: bytes) -> Reply:
    """Sends a message to all who listen to a shard channel. O(n) for n listeners."""
    return hub_of(client.engine).publish_to_shard(channel, message)


# ---- PUBSUB

pubsub.container("PUBSUB", arity=-2, since="2.8.0", acl="-pubsub")
ASKING: Final = "pubsub loading stale"


def _counts(names: Names, asked: tuple[bytes, ...]) -> Reply:
    return [item for name in asked for item in (name, names.count(name))]


@pubsub.command("PUBSUB CHANNELS", arity=-2, skip=1, flags=ASKING, syntax="[pattern]", since="2.8.0")
def pubsub_channels(client: Client, subcommand: bytes, *pattern: bytes) -> Reply:
    """Lists the channels that somebody listens to. O(n) for n channels."""
    return hub_of(client.engine).channels.names(_only(pattern, subcommand))


@pubsub.command("PUBSUB NUMSUB", arity=-2, flags=ASKING, syntax="[channel [channel ...]]", since="2.8.0")
def pubsub_numsub(client: Client, *channels: bytes) -> Reply:
    """Says how many clients listen to each of these channels, patterns aside. O(n) for n channels."""
    return _counts(hub_of(client.engine).channels, channels)


@pubsub.command("PUBSUB NUMPAT", arity=2, flags=ASKING, since="2.8.0")
def pubsub_numpat(client: Client) -> Reply:
    """Says how many different patterns somebody listens to. O(1)."""
    return len(hub_of(client.engine).patterns.listeners)


@pubsub.command("PUBSUB SHARDCHANNELS", arity=-2, skip=1, flags=ASKING, syntax="[pattern]", since="7.0.0")
def pubsub_shardchannels(client: Client, subcommand: bytes, *pattern: bytes) -> Reply:
    """Lists the shard channels that somebody listens to. O(n) for n shard channels."""
    return hub_of(client.engine).shard_channels.names(_only(pattern, subcommand))


@pubsub.command(
    "PUBSUB SHARDNUMSUB", arity=-2, flags=ASKING, syntax="[shardchannel [shardchannel ...]]", since="7.0.0"
)
def pubsub_shardnumsub(client: Client, *channels: bytes) -> Reply:
    """Says how many clients listen to each of these shard channels. O(n) for n shard channels."""
    return _counts(hub_of(client.engine).shard_channels, channels)


@pubsub.command("PUBSUB HELP", arity=2, flags="loading stale", acl="-pubsub", since="6.2.0")
def pubsub_help(client: Client) -> Reply:
    """Says what PUBSUB can do. O(1)."""
    return help_lines(client, "pubsub")


def _only(pattern: tuple[bytes, ...], subcommand: bytes) -> bytes | None:
    if len(pattern) > 1:
        word = errors.printable(subcommand)
        raise CommandError(
            f"ERR unknown subcommand or wrong number of arguments for '{word}'. Try PUBSUB HELP."
        )
    return pattern[0] if pattern else None
