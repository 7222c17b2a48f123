"""GEOSEARCH, GEOSEARCHSTORE and the GEORADIUS family: what is near.

All six are one search, declared four ways. It takes the cells that cover the area, asks the sorted set for
the scores of each, and keeps the places whose distance says that they are inside (see
`cutaway.datastructures.geohashes`). Results come in the order of the cells unless ASC or DESC sorts them;
COUNT without ANY sorts too, since "the nearest n" means nothing else, and ANY stops at the first n.

The old forms take centre and radius as fixed arguments and may store (`STORE key`, `STOREDIST key`), for
which they count as writes; their `_RO` twins may not, so that replicas can run them. Errors come in the
real server's order: the key's type first, then one word after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from cutaway.commands import arguments, errors
from cutaway.commands.clients import Client
from cutaway.commands.geo import format_distance, geo, parse_place, parse_unit, place_reply
from cutaway.commands.key_finders import georadius_keys
from cutaway.commands.key_specs import OW, RO, KeySpec
from cutaway.datastructures import SortedSetValue, geohashes
from cutaway.datastructures.geohashes import Area, Box, Circle, Polygon
from cutaway.resp import Reply

COUNT_NOT_POSITIVE: Final = errors.CommandError("ERR COUNT must be > 0")
ANY_WITHOUT_COUNT: Final = errors.CommandError("ERR the ANY argument requires COUNT argument")
NUMERIC_RADIUS: Final = errors.CommandError("ERR need numeric radius")
NUMERIC_WIDTH: Final = errors.CommandError("ERR need numeric width")
NUMERIC_HEIGHT: Final = errors.CommandError("ERR need numeric height")
NEGATIVE_RADIUS: Final = errors.CommandError("ERR radius cannot be negative")
NEGATIVE_BOX: Final = errors.CommandError("ERR height or width cannot be negative")
INVALID_VERTICES: Final = errors.CommandError("ERR invalid number of vertices")
TOO_FEW_VERTICES: Final = errors.CommandError("ERR GEOSEARCH BYPOLYGON must have at least 3 vertices")


class Found(NamedTuple):
    """A place in the area, and its distance from the centre in metres."""

    member: bytes
    score: float
    distance: float


@dataclass(slots=True)
class Search:
    """What one call asks for. `shape` takes a centre to an area, since the two may come in either order."""

    client: Client
    source: SortedSetValue | None
    is_new: bool
    """GEOSEARCH and GEOSEARCHSTORE, not a form of GEORADIUS."""
    may_store: bool
    centre: tuple[float, float] | None = None
    has_member: bool = False
    has_place: bool = False
    shape: Callable[[float, float], Area] | None = None
    shape_name: bytes = b""
    with_coordinates: bool = False
    with_distance: bool = False
    with_hash: bool = False
    order: bytes = b""
    count: int = 0
    stops_early: bool = False
    store_key: bytes | None = None
    store_distances: bool = False

    # ---- arguments

    def parse(self, words: Sequence[bytes]) -> None:
        """Take the options in turn."""
        at = 0
        while at < len(words):
            at += 1 + self._option(words[at].upper(), words[at + 1 :])

    def _option(self, name: bytes, rest: Sequence[bytes]) -> int:
        """Take one option; the number of words in `rest` that belong to it."""
        match name:
            case b"WITHDIST":
                self.with_distance = True
            case b"WITHHASH":
                self.with_hash = True
            case b"WITHCOORD":
                self.with_coordinates = True
            case b"ANY":
                self.stops_early = True
            case b"ASC" | b"DESC":
                self.order = name
            case b"COUNT" if rest:
                self.count = arguments.integer(rest[0])
                if self.count <= 0:
                    raise COUNT_NOT_POSITIVE
                return 1
            case b"STORE" | b"STOREDIST" if rest and self.may_store and not self.is_new:
                self.store_key, self.store_distances = rest[0], name == b"STOREDIST"
                return 1
            case b"STOREDIST" if self.may_store and self.is_new:
                self.store_distances = True
            case _ if self.is_new:
                return self._area_option(name, rest)
            case _:
                raise errors.SYNTAX
        return 0

    def _area_option(self, name: bytes, rest: Sequence[bytes]) -> int:
        has_polygon = self.shape_name == b"BYPOLYGON"
        match name:
            case b"FROMMEMBER" if rest and not self.has_place and not has_polygon:
                self.at_member(rest[0])
                return 1
            case b"FROMLONLAT" if len(rest) >= 2 and not self.has_member and not has_polygon:
                self.centre = parse_place(rest[0], rest[1])
                self.has_place = True
                return 2
            case b"BYRADIUS" if len(rest) >= 2 and self.shape_name in (b"", name):
                self.within_radius(rest[0], rest[1])
                return 2
            case b"BYBOX" if len(rest) >= 3 and self.shape_name in (b"", name):
                self._within_box(rest[0], rest[1], rest[2])
                return 3
            case b"BYPOLYGON" if len(rest) >= 2 and self.shape_name in (b"", name):
                if self.has_member or self.has_place:
                    raise errors.SYNTAX
                return self._within_polygon(rest)
            case _:
                raise errors.SYNTAX

    def at_member(self, member: bytes) -> None:
        """The centre is where a member is. A missing key has none, and that is no error."""
        self.has_member = True
        if self.source is None:
            return
        score = self.source.score(member)
        if score is None:
            raise errors.CommandError(f"ERR member {errors.printable(member)} does not exist")
        self.centre = geohashes.decode(score)

    def within_radius(self, radius: bytes, unit: bytes) -> None:
        """The area is a circle."""
        length = arguments.number(radius, NUMERIC_RADIUS)
        if length < 0:
            raise NEGATIVE_RADIUS
        metres = parse_unit(unit)
        self.shape = lambda longitude, latitude: Circle(longitude, latitude, length, metres)
        self.shape_name = b"BYRADIUS"

    def _within_box(self, width: bytes, height: bytes, unit: bytes) -> None:
        across, up = arguments.number(width, NUMERIC_WIDTH), arguments.number(height, NUMERIC_HEIGHT)
        if across < 0 or up < 0:
            raise NEGATIVE_BOX
        metres = parse_unit(unit)
        self.shape = lambda longitude, latitude: Box(longitude, latitude, across, up, metres)
        self.shape_name = b"BYBOX"

    def _within_polygon(self, rest: Sequence[bytes]) -> int:
        number = arguments.integer_between(rest[0], -(2**31), 2**31 - 1, INVALID_VERTICES)
        end = 1 + 2 * number
        if number < 3 or end > len(rest):
            raise TOO_FEW_VERTICES
        polygon = Polygon([parse_place(rest[at], rest[at + 1]) for at in range(1, end, 2)])
        self.centre = polygon.longitude, polygon.latitude
        self.shape = lambda _longitude, _latitude: polygon
        self.shape_name = b"BYPOLYGON"
        return end

    def check(self) -> None:
        """Refuse what does not go together."""
        if self.store_key is not None and (self.with_distance or self.with_hash or self.with_coordinates):
            what = "GEOSEARCHSTORE" if self.is_new else "STORE option in GEORADIUS"
            raise errors.CommandError(
                f"ERR {what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            )
        command = "GEOSEARCH" if self.store_key is None else "GEOSEARCHSTORE"
        if self.is_new and not (self.has_member or self.has_place or self.shape_name == b"BYPOLYGON"):
            raise errors.CommandError(
                f"ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {command}"
            )
        if self.is_new and not self.shape_name:
            raise errors.CommandError(
                f"ERR exactly one of BYRADIUS, BYBOX and BYPOLYGON can be specified for {command}"
            )
        if self.stops_early and not self.count:
            raise ANY_WITHOUT_COUNT

    # ---- searching

    def run(self, event: str) -> Reply:
        """Search, and reply or store what is found."""
        if self.source is None or self.shape is None or self.centre is None:
            return [] if self.store_key is None else self._store(self.store_key, [], 1.0, event)
        area = self.shape(*self.centre)
        found = self._places_in(self.source, area)
        order = self.order or (b"ASC" if self.count and not self.stops_early else b"")
        if order:
            found.sort(key=lambda place: place.distance, reverse=order == b"DESC")
        if self.count:
            del found[self.count :]
        if self.store_key is not None:
            return self._store(self.store_key, found, area.unit, event)
        return [self._describe(place, area.unit) for place in found]

    def _places_in(self, source: SortedSetValue, area: Area) -> list[Found]:
        found: list[Found] = []
        limit = self.count if self.stops_early else 0
        for cell in geohashes.areas_of(area):
            low, high = cell.score_range()
            for member, score in source.range_by_score(low, high, max_open=True):
                distance = area.distance_to(*geohashes.decode(score))
                if distance is not None:
                    found.append(Found(member, score, distance))
                    if len(found) == limit:
                        return found
        return found

    def _describe(self, place: Found, unit: float) -> Reply:
        if not (self.with_distance or self.with_hash or self.with_coordinates):
            return place.member
        described: list[Reply] = [place.member]
        if self.with_distance:
            described.append(format_distance(place.distance / unit))
        if self.with_hash:
            described.append(int(place.score))
        if self.with_coordinates:
            described.append(place_reply(self.client, place.score))
        return described

    def _store(self, key: bytes, found: Sequence[Found], unit: float, event: str) -> Reply:
        db = self.client.db
        if not found:
            db.delete(key)
            return 0
        pairs = [
            (place.member, place.distance / unit if self.store_distances else place.score) for place in found
        ]
        db.set(key, SortedSetValue.from_pairs(pairs, self.client.engine.limits))
        db.changed(key, event, len(found))
        return len(found)


# ---- GEOSEARCH

_AREA: Final = (
    "[FROMMEMBER member | FROMLONLAT longitude latitude] <BYRADIUS radius <M | KM | FT | MI> | "
    "BYBOX width height <M | KM | FT | MI> | "
    "BYPOLYGON num-vertices longitude latitude [longitude latitude ...]> "
)
_SEARCH_HISTORY: Final = (
    ("7.0.0", "Added support for uppercase unit names."), ("9.0.0", "Added support for the BYPOLYGON option.")
)  # fmt: skip


def _search(client: Client, source: bytes, destination: bytes | None, words: Sequence[bytes]) -> Reply:
    is_storing = destination is not None
    value = client.db.read(source, SortedSetValue)
    search = Search(client, value, is_new=True, may_store=is_storing, store_key=destination)
    search.parse(words)
    search.check()
    return search.run("geosearchstore")


@geo.command(
    "GEOSEARCH", arity=-7, flags="readonly", keys=RO(1), since="6.2.0", history=_SEARCH_HISTORY,
    syntax=f"key {_AREA}[ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]",
)  # fmt: skip
def geosearch(client: Client, key: bytes, *words: bytes) -> Reply:
    """Finds the places in a circle, a box or a polygon.

    O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape
    provided as the filter and M is the number of items inside the shape.
    """
    return _search(client, key, None, words)


@geo.command(
    "GEOSEARCHSTORE", arity=-8, flags="write denyoom", keys=(OW(1), RO(2)), since="6.2.0",
    history=_SEARCH_HISTORY, syntax=f"destination source {_AREA}[ASC | DESC] [COUNT count [ANY]] [STOREDIST]",
)  # fmt: skip
def geosearchstore(client: Client, destination: bytes, source: bytes, *words: bytes) -> Reply:
    """Finds the places in a circle, a box or a polygon, and stores them in another set.

    O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape
    provided as the filter and M is the number of items inside the shape.
    """
    return _search(client, source, destination, words)


# ---- GEORADIUS

_OPTIONS: Final = "[WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]"
_STORING: Final = _OPTIONS + " [STORE key | STOREDIST key]"
_AROUND_PLACE: Final = "key longitude latitude radius <M | KM | FT | MI> "
_AROUND_MEMBER: Final = "key member radius <M | KM | FT | MI> "
_RADIUS_HISTORY: Final = (
    ("6.2.0", "Added the `ANY` option for `COUNT`."), ("7.0.0", "Added support for uppercase unit names.")
)  # fmt: skip


def _around_place(client: Client, words: Sequence[bytes], *, may_store: bool) -> Reply:
    key, longitude, latitude, radius, unit, *options = words
    search = Search(client, client.db.read(key, SortedSetValue), is_new=False, may_store=may_store)
    search.centre = parse_place(longitude, latitude)
    search.within_radius(radius, unit)
    search.parse(options)
    search.check()
    return search.run("georadiusstore")


def _around_member(client: Client, words: Sequence[bytes], *, may_store: bool) -> Reply:
    key, member, radius, unit, *options = words
    search = Search(client, client.db.read(key, SortedSetValue), is_new=False, may_store=may_store)
    search.at_member(member)
    if search.source is not None:
        search.within_radius(radius, unit)
    search.parse(options)
    search.check()
    return search.run("georadiusstore")


def _stored(index: int) -> tuple[KeySpec, ...]:
    flags = "update variable_flags"
    return RO(1), OW(index, flags, keyword="STORE"), OW(index, flags, keyword="STOREDIST")


@geo.command("GEORADIUS", arity=-6, flags="write denyoom movablekeys", keys=_stored(6), since="3.2.0",
             syntax=_AROUND_PLACE + _STORING, history=_RADIUS_HISTORY, key_finder=georadius_keys)  # fmt: skip
def georadius(client: Client, *words: bytes) -> Reply:
    """Finds the places around a point, and may store them.

    O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by
    center and radius and M is the number of items inside the index.
    """
    return _around_place(client, words, may_store=True)


@geo.command("GEORADIUS_RO", arity=-6, flags="readonly", keys=RO(1), since="3.2.10",
             syntax=_AROUND_PLACE + _OPTIONS, history=_RADIUS_HISTORY)  # fmt: skip
def georadius_ro(client: Client, *words: bytes) -> Reply:
    """Finds the places around a point, and only reads.

    O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by
    center and radius and M is the number of items inside the index.
    """
    return _around_place(client, words, may_store=False)


@geo.command("GEORADIUSBYMEMBER", arity=-5, flags="write denyoom movablekeys", keys=_stored(5),
             since="3.2.0", syntax=_AROUND_MEMBER + _STORING, history=_RADIUS_HISTORY,
             key_finder=georadius_keys)  # fmt: skip
def georadiusbymember(client: Client, *words: bytes) -> Reply:
    """Finds the places around a member, and may store them.

    O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by
    center and radius and M is the number of items inside the index.
    """
    return _around_member(client, words, may_store=True)


@geo.command("GEORADIUSBYMEMBER_RO", arity=-5, flags="readonly", keys=RO(1), since="3.2.10",
             syntax=_AROUND_MEMBER + _OPTIONS, history=_RADIUS_HISTORY)  # fmt: skip
def georadiusbymember_ro(client: Client, *words: bytes) -> Reply:
    """Finds the places around a member, and only reads.

    O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by
    center and radius and M is the number of items inside the index.
    """
    return _around_member(client, words, may_store=False)
