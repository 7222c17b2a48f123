"""Commands about the connection itself: who is there, in which protocol, on which database.

HELLO chooses the protocol and may name and authenticate the client in one step. Authentication is a room of its own
(`acl`); where it is composed it puts its own AUTH in place and gives HELLO a way to check (`engine.extras["authenticate"]`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.client_lists import ClientFilter, describe
from cutaway.commands.clients import Client
from cutaway.commands.helping import help_lines
from cutaway.commands.tables import CommandTable
from cutaway.commands.touching import no_touch_of
from cutaway.resp import NO_REPLY, MapReply, Reply, Verbatim

connections: Final = CommandTable("connection")

Authenticate = Callable[[Client, bytes | None, bytes], Reply]
"""`engine.extras["authenticate"]`: user, password → OK or the error. No user is AUTH's old form: the default user is meant."""

NO_PASSWORD_SET: Final = errors.CommandError(
    "ERR AUTH <password> called without any password configured for the default user. "
    "Are you sure your configuration is correct?"
)
WRONG_PASSWORD: Final = errors.CommandError("WRONGPASS invalid username-password pair or user is disabled.")


@connections.command("PING", arity=-1, flags="fast", syntax="[message]",
                     tips=["request_policy:all_shards", "response_policy:all_succeeded"])  # fmt: skip
def ping(client: Client, *message: bytes) -> Reply:
    """Answers PONG, or the given message. O(1)."""
    if len(message) > 1:
        raise errors.wrong_arity("ping")
    if client.protocol == 2 and "P" in client.flags:
        return [b"pong", message[0] if message else b""]
    return message[0] if message else "PONG"


@connections.command("ECHO", arity=2, flags="loading stale fast", syntax="message")
def echo(_client: Client, message: bytes) -> Reply:
    """Answers the given message. O(1)."""
    return message


@connections.command("QUIT", arity=-1, flags="noscript loading stale fast no_auth allow_busy")
def quit_(client: Client, *_ignored: bytes) -> Reply:
    """Closes the connection, once the reply is sent. O(1)."""
    client.close_after_reply = True
    return "OK"


@connections.command("SELECT", arity=2, flags="loading stale fast allow_busy", syntax="index")
def select(client: Client, index: bytes) -> Reply:
    """Makes another database the client's current one. O(1)."""
    number = arguments.small_integer(index)
    databases = client.engine.keyspace.databases
    if not 0 <= number < len(databases):
        raise errors.DB_INDEX_OUT_OF_RANGE
    client.db = databases[number]
    return "OK"


@connections.command("RESET", arity=1, flags="noscript loading stale fast no_auth allow_busy", since="6.2.0")
def reset(client: Client) -> Reply:
    """Puts the connection back into the state of a new one. O(1)."""
    client.reset()
    return "RESET"


@connections.command(
    "HELLO", arity=-1, flags="noscript loading stale fast no_auth sentinel allow_busy", since="6.0.0",
    syntax="[protover [AUTH username password] [SETNAME clientname]]",
)  # fmt: skip
def hello(client: Client, *words: bytes) -> Reply:
    """Chooses the protocol's version and introduces the server. O(1)."""
    protocol = client.protocol
    if words:
        version = arguments.integer_or_none(words[0])
        if version is None:
            raise errors.CommandError("ERR Protocol version is not an integer or out of range")
        if version not in (2, 3):
            raise errors.NO_PROTO
        protocol = version
    credentials, name = _hello_options(words[1:])
    if credentials is not None:
        answer = authenticate(client, *credentials)
        if isinstance(answer, errors.CommandError):
            raise answer
    if not client.authenticated:
        raise errors.CommandError(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH "
            "<user> <pass> option can be used to authenticate the client and select the RESP protocol version at "
            "the same time"
        )
    if name is not None:
        set_name(client, name)
    client.choose_protocol(protocol)
    return MapReply(
        [
            (b"server", b"redis"),
            (b"version", REDIS_VERSION),
            (b"proto", protocol),
            (b"id", client.id),
            (b"mode", b"standalone"),
            (b"role", b"master"),
            (b"modules", client.engine.extras.get("hello_modules", list)()),
        ]
    )


REDIS_VERSION: Final = b"7.2.4"
"""The version of Redis whose features clients may count on; they choose their commands by it."""


def _hello_options(words: Sequence[bytes]) -> tuple[tuple[bytes, bytes] | None, bytes | None]:
    credentials: tuple[bytes, bytes] | None = None
    name: bytes | None = None
    position = 0
    while position < len(words):
        option, left = words[position].upper(), len(words) - position - 1
        if option == b"AUTH" and left >= 2:
            credentials = (words[position + 1], words[position + 2])
            position += 3
        elif option == b"SETNAME" and left >= 1:
            name = words[position + 1]
            check_name(name)
            position += 2
        else:
            raise errors.CommandError(
                f"ERR Syntax error in HELLO option '{errors.printable(words[position])}'"
            )
    return credentials, name


def authenticate(client: Client, username: bytes | None, password: bytes) -> Reply:
    """Ask the room that knows about users; without one, only the default user exists and has no password."""
    check: Authenticate | None = client.engine.extras.get("authenticate")
    if check is not None:
        return check(client, username, password)
    if username is None:
        return NO_PASSWORD_SET
    return "OK" if username == b"default" else WRONG_PASSWORD


@connections.command("AUTH", arity=-2, flags="noscript loading stale fast no_auth sentinel allow_busy",
                     syntax="[username] password")  # fmt: skip
def auth(client: Client, *words: bytes) -> Reply:
    """Authenticates the connection. O(n) for n passwords of the user."""
    if len(words) > 2:
        raise errors.SYNTAX
    username, password = words if len(words) == 2 else (None, words[0])
    answer = authenticate(client, username, password)
    if isinstance(answer, errors.CommandError):
        raise answer
    return answer


# ---- CLIENT

connections.container("CLIENT", arity=-2, flags="", since="2.4.0", acl="-connection")


def check_name(name: bytes) -> None:
    """A name may hold no blanks, no line ends and nothing that does not print: CLIENT LIST has to stay readable."""
    if any(not 0x21 <= byte <= 0x7E for byte in name):
        raise errors.CommandError("ERR Client names cannot contain spaces, newlines or special characters.")


def set_name(client: Client, name: bytes) -> None:
    """Give the connection a name; an empty one takes it away."""
    check_name(name)
    client.name = name


CLIENT_FLAGS: Final = "noscript loading stale sentinel allow_busy"
EVERYWHERE: Final = ("request_policy:all_nodes", "response_policy:all_succeeded")


@connections.command("CLIENT ID", arity=2, flags=CLIENT_FLAGS, since="5.0.0")
def client_id(client: Client) -> Reply:
    """Returns the number of this connection; numbers only grow. O(1)."""
    return client.id


@connections.command("CLIENT SETNAME", arity=3, flags=CLIENT_FLAGS, since="2.6.9", tips=EVERYWHERE,
                     syntax="connection-name")  # fmt: skip
def client_setname(client: Client, name: bytes) -> Reply:
    """Names the connection. O(1)."""
    set_name(client, name)
    return "OK"


@connections.command("CLIENT GETNAME", arity=2, flags=CLIENT_FLAGS, since="2.6.9")
def client_getname(client: Client) -> Reply:
    """Returns the connection's name, nil where it has none. O(1)."""
    return client.name or None


@connections.command("CLIENT SETINFO", arity=4, flags=CLIENT_FLAGS, since="7.2.0", tips=EVERYWHERE,
                     syntax="<LIB-NAME libname | LIB-VER libver>")  # fmt: skip
def client_setinfo(client: Client, attribute: bytes, value: bytes) -> Reply:
    """Tells the server which client library is talking. O(1)."""
    name = attribute.lower()
    if name not in (b"lib-name", b"lib-ver"):
        raise errors.CommandError(f"ERR Unrecognized option '{errors.printable(attribute)}'")
    if any(not 0x21 <= byte <= 0x7E for byte in value):
        raise errors.CommandError(
            f"ERR {name.decode()} cannot contain spaces, newlines or special characters."
        )
    if name == b"lib-name":
        client.library_name = value
    else:
        client.library_version = value
    return "OK"


@connections.command(
    "CLIENT INFO",
    arity=2,
    flags="noscript loading stale sentinel",
    since="6.2.0",
    tips=["nondeterministic_output"],
)
def client_info(client: Client) -> Reply:
    """Describes this connection in CLIENT LIST's format. O(1)."""
    return Verbatim(describe(client) + b"\n")


@connections.command("CLIENT LIST", arity=-2, flags="admin noscript loading stale sentinel", since="2.4.0",
                     tips=["nondeterministic_output"],
                     syntax="[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]")  # fmt: skip
def client_list(client: Client, *words: bytes) -> Reply:
    """Describes the connections, a line each. O(n) for n connections."""
    wanted = ClientFilter.parse(client, words, for_list=True)
    chosen = [each for each in client.engine.clients.values() if wanted.matches(each)]
    return Verbatim(b"".join(describe(each) + b"\n" for each in chosen))


FILTERS: Final = (
    "[ID client-id [client-id ...]] | [TYPE <NORMAL | MASTER | SLAVE | REPLICA | PUBSUB>] | [USER username] "
    "| [ADDR ip:port] | [LADDR ip:port] | [SKIPME <YES | NO>] | [MAXAGE maxage]"
)


@connections.command(
    "CLIENT KILL", arity=-3, flags="admin noscript loading stale sentinel", since="2.4.0",
    syntax=f"<ip:port | <{FILTERS}> [<{FILTERS}> ...]>",
)  # fmt: skip
def client_kill(client: Client, *words: bytes) -> Reply:
    """Closes connections: one by its address, or all that match the filters. O(n) for n connections."""
    old_form = len(words) == 1
    wanted = ClientFilter.address_only(client, words[0]) if old_form else ClientFilter.parse(client, words)
    victims = [each for each in client.engine.clients.values() if wanted.matches(each)]
    for victim in victims:
        kill(victim, asked_by=client)
    if not old_form:
        return len(victims)
    if not victims:
        raise errors.CommandError("ERR No such client")
    return "OK"


def kill(victim: Client, asked_by: Client | None = None) -> None:
    """Close a connection; one that closes itself gets its reply first."""
    victim.is_killed = True
    if victim is asked_by:
        victim.close_after_reply = True
    else:
        victim.close_now()


@connections.command("CLIENT REPLY", arity=3, flags=f"{CLIENT_FLAGS} no_multi", since="3.2.0",
                     syntax="<ON | OFF | SKIP>")  # fmt: skip
def client_reply(client: Client, mode: bytes) -> Reply:
    """Turns replies to this connection on or off, or skips the next one. O(1)."""
    word = mode.lower()
    if word == b"on":
        client.reply_mode = "on"
        return "OK"
    if word == b"off":
        client.reply_mode = "off"
    elif word == b"skip":
        if client.reply_mode != "off":
            client.reply_mode = "skip"
    else:
        raise errors.SYNTAX
    return NO_REPLY


def _on_or_off(word: bytes) -> bool:
    choice = {b"on": True, b"off": False}.get(word.lower())
    if choice is None:
        raise errors.SYNTAX
    return choice


@connections.command("CLIENT NO-EVICT", arity=3, flags=f"admin {CLIENT_FLAGS}", since="7.0.0",
                     syntax="<ON | OFF>")  # fmt: skip
def client_no_evict(client: Client, mode: bytes) -> Reply:
    """Protects this connection from being closed to save memory. O(1)."""
    client.no_evict = _on_or_off(mode)
    return "OK"


@connections.command("CLIENT NO-TOUCH", arity=3, flags=CLIENT_FLAGS, since="7.2.0", syntax="<ON | OFF>")
def client_no_touch(client: Client, mode: bytes) -> Reply:
    """Lets this connection read keys without making them look used. O(1)."""
    state = no_touch_of(client.engine)
    if not _on_or_off(mode):
        state.remove(client)
    elif not client.no_touch:
        state.add(client)
    return "OK"


@connections.command("CLIENT CAPA", arity=-3, flags=CLIENT_FLAGS, since="8.0.0",
                     syntax="capability [capability ...]")  # fmt: skip
def client_capa(client: Client, *capabilities: bytes) -> Reply:
    """Tells the server what this client can do; what is not known is passed over. O(n) for n capabilities."""
    if b"redirect" in map(bytes.lower, capabilities):
        client.capabilities.add("r")
    return "OK"


@connections.command("CLIENT IMPORT-SOURCE", arity=3, flags="noscript loading stale", since="8.1.0",
                     syntax="<ON | OFF>")  # fmt: skip
def client_import_source(_client: Client, mode: bytes) -> Reply:
    """Marks this connection as one that imports data; this server has no import mode. O(1)."""
    if mode.lower() == b"off":
        return "OK"
    raise errors.CommandError("ERR Server is not in import mode")


@connections.command("CLIENT UNBLOCK", arity=-3, flags="admin noscript loading stale sentinel", since="5.0.0",
                     syntax="client-id [TIMEOUT | ERROR]")  # fmt: skip
def client_unblock(client: Client, identity: bytes, *mode: bytes) -> Reply:
    """Ends another connection's waiting, as if by timeout or with an error. O(log n)."""
    word = mode[0].lower() if mode else b"timeout"
    if len(mode) > 1 or word not in (b"timeout", b"error"):
        raise errors.CommandError("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
    other = client.engine.clients.get(arguments.integer(identity))
    if other is None or other.blocked is None or other.blocked.block.runs_at_deadline:
        return 0
    if word == b"error":
        reply: Reply = errors.UNBLOCKED
        other.blocked.command.failed_calls += 1
        client.engine.count_error(errors.UNBLOCKED)
    else:
        reply = other.blocked.block.give_up()
    client.engine.blocking.unblock(other, reply)
    return 1


@connections.command("CLIENT HELP", arity=2, flags="loading stale sentinel", since="5.0.0")
def client_help(client: Client) -> Reply:
    """Says what CLIENT can do. O(1)."""
    return help_lines(client, "client")
