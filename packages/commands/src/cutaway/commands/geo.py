"""GEOADD and what is asked of single places: GEOPOS, GEODIST, GEOHASH.

A set of places is a sorted set whose scores are geohashes (see `cutaway.datastructures.geohashes`), and
nothing else: ZRANGE lists it, ZREM removes from it, and GEOADD is ZADD with a score for which it asks you
two numbers. A place comes back as the middle of a cell of about 0.6 metres, so not quite as it was put in.

Coordinates are printed with 17 decimals, distances with 4, as bulk strings in either protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.key_specs import RO, RW
from cutaway.commands.sorted_sets import zadd
from cutaway.commands.tables import CommandTable
from cutaway.datastructures import SortedSetValue, geohashes
from cutaway.resp import NULL_ARRAY, Raw, Reply

geo: Final = CommandTable("geo")

UNSUPPORTED_UNIT: Final = errors.CommandError("ERR unsupported unit provided. please use M, KM, FT, MI")


# ---- reading


def parse_place(longitude: bytes, latitude: bytes) -> tuple[float, float]:
    """Two arguments as a place on the map, (longitude, latitude)."""
    place = arguments.number(longitude), arguments.number(latitude)
    if not geohashes.is_valid(*place):
        raise errors.CommandError("ERR invalid longitude,latitude pair {:.6f},{:.6f}".format(*place))
    return place


def parse_unit(text: bytes) -> float:
    """The metres in a unit: M, KM, FT or MI, in any case."""
    metres = geohashes.UNITS.get(text.lower())
    if metres is None:
        raise UNSUPPORTED_UNIT
    return metres


# ---- printing


def format_distance(distance: float) -> bytes:
    """A distance with four decimals, which for kilometres is still ten centimetres."""
    whole, decimals = divmod(round(distance * 10_000), 10_000)
    return b"%d.%04d" % (whole, decimals)


def place_reply(client: Client, score: float) -> Reply:
    """The place that a score stands for: doubles in RESP3, which print more digits than other doubles."""
    texts = [_format_coordinate(degrees) for degrees in geohashes.decode(score)]
    if client.protocol == 2:
        return list[Reply](texts)
    return [Raw(b",%b\r\n" % text) for text in texts]


def _format_coordinate(degrees: float) -> bytes:
    text = f"{degrees:.17f}".rstrip("0").rstrip(".")
    return b"0" if text == "-0" else text.encode()


# ---- commands


@geo.command(
    "GEOADD", arity=-5, flags="write denyoom", keys=RW(1), since="3.2.0",
    syntax="key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]",
    history=[("6.2.0", "Added the `CH`, `NX` and `XX` options.")],
)  # fmt: skip
def geoadd(client: Client, key: bytes, *words: bytes) -> Reply:
    """Adds places to a set, or moves them.

    O(log(N)) for each item added, where N is the number of elements in the sorted set.
    """
    first = 0
    while first < len(words) and words[first].upper() in (b"NX", b"XX", b"CH"):
        first += 1
    options, triples = words[:first], words[first:]
    names = {option.upper() for option in options}
    if len(triples) % 3 or {b"NX", b"XX"} <= names:
        raise errors.SYNTAX
    pairs: list[bytes] = []
    for longitude, latitude, member in zip(triples[::3], triples[1::3], triples[2::3], strict=True):
        pairs += (b"%d" % geohashes.encode(*parse_place(longitude, latitude)), member)
    return zadd(client, key, *options, *pairs)


def _for_each(
    client: Client, key: bytes, members: Sequence[bytes], reply: Callable[[float], Reply], missing: Reply
) -> Reply:
    """A reply for the score of each member, another for each that is not there."""
    value = client.db.read(key, SortedSetValue)
    scores = [None if value is None else value.score(member) for member in members]
    return [missing if score is None else reply(score) for score in scores]


@geo.command("GEOPOS", arity=-2, flags="readonly", keys=RO(1), since="3.2.0",
             syntax="key [member [member ...]]")  # fmt: skip
def geopos(client: Client, key: bytes, *members: bytes) -> Reply:
    """Returns the longitude and latitude of members. O(1) for each member requested."""
    return _for_each(client, key, members, lambda score: place_reply(client, score), NULL_ARRAY)


@geo.command("GEOHASH", arity=-2, flags="readonly", keys=RO(1), since="3.2.0",
             syntax="key [member [member ...]]")  # fmt: skip
def geohash(client: Client, key: bytes, *members: bytes) -> Reply:
    """Returns the geohash texts of members. O(1) for each member requested."""
    return _for_each(client, key, members, geohashes.text_of, None)


@geo.command("GEODIST", arity=-4, flags="readonly", keys=RO(1), since="3.2.0",
             syntax="key member1 member2 [M | KM | FT | MI]")  # fmt: skip
def geodist(client: Client, key: bytes, member1: bytes, member2: bytes, *unit: bytes) -> Reply:
    """Returns the distance between two members. O(1)."""
    if len(unit) > 1:
        raise errors.SYNTAX
    metres = parse_unit(unit[0]) if unit else 1.0
    value = client.db.read(key, SortedSetValue)
    scores = [None if value is None else value.score(member) for member in (member1, member2)]
    places = [geohashes.decode(score) for score in scores if score is not None]
    if len(places) < 2:
        return None
    return format_distance(geohashes.distance(*places[0], *places[1]) / metres)
