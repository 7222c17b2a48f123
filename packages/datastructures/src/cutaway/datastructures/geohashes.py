"""Geohashes: a place on Earth as one number, so that a sorted set can find what is near.

Halve the range of longitudes again and again and note, one bit each time, which half the place is in; do
the same with the latitudes; and interleave the bits. 26 halvings of each make 52 bits, which a double, and
so a score of a sorted set, holds exactly. The number is a place of about 0.6 metres, and its leading 2k
bits are the *cell* that k halvings define. The bits of a cell are a prefix, so everything within it lies in
one range of scores: that is the whole trick (Morton's Z-order curve, 1966; Niemeyer's geohash, 2008).

Two places may be near and yet lie on two sides of a cell's border. So a search takes the cell of its centre
and the eight around it, of a size such that the nine surely cover the area, drops those that lie outside of
it, asks for nine ranges of scores, and tests the distance of each candidate.

    north_west   north   north_east          `areas_of` returns the cells, `score_range` turns each into
    west         centre  east                [minimum, maximum), and `Circle.distance_to` or
    south_west   south   south_east          `Box.distance_to` decides.

Latitudes end at 85.05112878 degrees, as they do on a square Mercator map (EPSG:3857). The well-known
geohash *text* is defined over latitudes up to 90 instead; `text_of` decodes a score and encodes it again
that way. Distances are those on a sphere of radius 6372797.560856 m (haversine), at most half a percent
off.

The arithmetic follows Redis's `geohash.c` and `geohash_helper.c` operation by operation, since scores and
distances are compared as exact doubles. Longitude comes first everywhere, as in the commands. Every
function here is O(1).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, atan2, cos, pi, sin, sqrt
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGITUDE_MIN: Final = -180.0
LONGITUDE_MAX: Final = 180.0
LATITUDE_MIN: Final = -85.05112878
LATITUDE_MAX: Final = 85.05112878
EARTH_RADIUS: Final = 6372797.560856
"""Metres."""
MAX_STEP: Final = 26
"""Halvings of each coordinate in a score."""

_MERCATOR_MAX: Final = 20037726.37
"""Half of the Earth's circumference on a Mercator map, in metres."""
_RADIANS: Final = pi / 180.0
_ALPHABET: Final = "0123456789bcdefghjkmnpqrstuvwxyz"
_TEXT_LENGTH: Final = 11
_EVEN_BITS: Final = 0x5555555555555555
_ODD_BITS: Final = 0xAAAAAAAAAAAAAAAA

UNITS: Final = {b"m": 1.0, b"km": 1000.0, b"ft": 0.3048, b"mi": 1609.34}
"""Metres in each unit of the GEO commands."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The part of the map that the leading 2 * step bits of a geohash name."""

    bits: int
    step: int

    def bounds(self) -> tuple[float, float, float, float]:
        """Return (west, south, east, north) in degrees."""
        latitude, longitude = deinterleave(self.bits)
        cells = 1 << self.step
        height = LATITUDE_MAX - LATITUDE_MIN
        width = LONGITUDE_MAX - LONGITUDE_MIN
        return (
            LONGITUDE_MIN + (longitude * 1.0 / cells) * width,
            LATITUDE_MIN + (latitude * 1.0 / cells) * height,
            LONGITUDE_MIN + ((longitude + 1) * 1.0 / cells) * width,
            LATITUDE_MIN + ((latitude + 1) * 1.0 / cells) * height,
        )

    def score_range(self) -> tuple[int, int]:
        """Return (minimum, maximum): the scores of the places within are minimum <= score < maximum."""
        shift = 2 * (MAX_STEP - self.step)
        return self.bits << shift, self.bits + 1 << shift

    def moved(self, east: int, north: int) -> Cell:
        """Return the cell `east` and `north` (-1, 0 or 1) steps away; the map wraps around at its edges."""
        limit = (1 << 2 * self.step) - 1
        odd, even = _ODD_BITS & limit, _EVEN_BITS & limit
        # A carry must pass over the other coordinate: its bits are ones to add, zeroes to subtract.
        # The coordinate that stays is not cut to the map: at 180 degrees it is one beyond, as in Redis.
        longitude, latitude = self.bits & _ODD_BITS, self.bits & _EVEN_BITS
        if east:
            longitude = (longitude + even + 1 if east > 0 else (longitude | even) - (even + 1)) & odd
        if north:
            latitude = (latitude + odd + 1 if north > 0 else (latitude | odd) - (odd + 1)) & even
        return Cell(longitude | latitude, self.step)


def interleave(even: int, odd: int) -> int:
    """Return the 64 bits in which `even` and `odd`, of 32 bits each, alternate; `even` has the lowest one."""
    return _spread(even) | _spread(odd) << 1


def deinterleave(bits: int) -> tuple[int, int]:
    """Return (even, odd): the bits at even and at odd positions."""
    return _gather(bits), _gather(bits >> 1)


def _spread(x: int) -> int:
    """Put a zero between each two of 32 bits (Stanford's "bit twiddling hacks")."""
    x = (x | x << 16) & 0x0000FFFF0000FFFF
    x = (x | x << 8) & 0x00FF00FF00FF00FF
    x = (x | x << 4) & 0x0F0F0F0F0F0F0F0F
    x = (x | x << 2) & 0x3333333333333333
    return (x | x << 1) & _EVEN_BITS


def _gather(x: int) -> int:
    """Take every other bit of 64, from the lowest on."""
    x &= _EVEN_BITS
    x = (x | x >> 1) & 0x3333333333333333
    x = (x | x >> 2) & 0x0F0F0F0F0F0F0F0F
    x = (x | x >> 4) & 0x00FF00FF00FF00FF
    x = (x | x >> 8) & 0x0000FFFF0000FFFF
    return (x | x >> 16) & 0x00000000FFFFFFFF


def is_valid(longitude: float, latitude: float) -> bool:
    """Tell whether the place is on the map."""
    return LONGITUDE_MIN <= longitude <= LONGITUDE_MAX and LATITUDE_MIN <= latitude <= LATITUDE_MAX


def cell_of(longitude: float, latitude: float, step: int = MAX_STEP) -> Cell:
    """Return the cell of a place. Raises ValueError if it is not on the map."""
    if not is_valid(longitude, latitude):
        message = f"invalid longitude,latitude pair {longitude:.6f},{latitude:.6f}"
        raise ValueError(message)
    return Cell(_encode(longitude, latitude, LATITUDE_MIN, LATITUDE_MAX, step), step)


def encode(longitude: float, latitude: float) -> int:
    """Return the 52-bit score of a place (GEOADD). Raises ValueError if it is not on the map."""
    return cell_of(longitude, latitude).bits


def _encode(longitude: float, latitude: float, south: float, north: float, step: int) -> int:
    """Return the bits of a place on a map of these latitudes."""
    latitude_offset = (latitude - south) / (north - south)
    longitude_offset = (longitude - LONGITUDE_MIN) / (LONGITUDE_MAX - LONGITUDE_MIN)
    cells = 1 << step
    return interleave(int(latitude_offset * cells) & 0xFFFFFFFF, int(longitude_offset * cells) & 0xFFFFFFFF)


def decode(score: float) -> tuple[float, float]:
    """Return (longitude, latitude) of the middle of a score's cell (GEOPOS)."""
    west, south, east, north = Cell(_bits_of(score), MAX_STEP).bounds()
    longitude = min(max((west + east) / 2, LONGITUDE_MIN), LONGITUDE_MAX)
    latitude = min(max((south + north) / 2, LATITUDE_MIN), LATITUDE_MAX)
    return longitude, latitude


def _bits_of(score: float) -> int:
    """Return what a cast to 64 unsigned bits makes of a score that need not be a place's: any ZADD could have set it."""
    if not -(2.0**63) <= score < 2.0**64:
        return 1 << 63 if score < 0 else 0
    return int(score) & 0xFFFFFFFFFFFFFFFF


def text_of(score: float) -> bytes:
    """Return the standard geohash of a score, 11 letters, the last always "0" (GEOHASH)."""
    bits = _encode(*decode(score), -90.0, 90.0, MAX_STEP)
    letters = [_ALPHABET[bits >> 52 - 5 * count & 31] for count in range(1, _TEXT_LENGTH)]
    return "".join([*letters, "0"]).encode()


def distance(longitude1: float, latitude1: float, longitude2: float, latitude2: float) -> float:
    """Return the metres between two places on the great circle (GEODIST)."""
    v = sin((longitude2 * _RADIANS - longitude1 * _RADIANS) / 2)
    if v == 0.0:
        return latitude_distance(latitude1, latitude2)
    start, end = latitude1 * _RADIANS, latitude2 * _RADIANS
    u = sin((end - start) / 2)
    a = u * u + cos(start) * cos(end) * v * v
    # Of places on opposite sides of the Earth, rounding may make a little more than 1 of it.
    return 2.0 * EARTH_RADIUS * asin(min(sqrt(a), 1.0))


def latitude_distance(latitude1: float, latitude2: float) -> float:
    """Return the metres between two places on one meridian."""
    return EARTH_RADIUS * abs(latitude2 * _RADIANS - latitude1 * _RADIANS)


@dataclass(frozen=True, slots=True)
class Circle:
    """The places up to `radius` units from a centre; `unit` is in metres."""

    longitude: float
    latitude: float
    radius: float
    unit: float = 1.0

    def distance_to(self, longitude: float, latitude: float) -> float | None:
        """Return the metres from the centre to a place, or None if it lies outside."""
        metres = distance(self.longitude, self.latitude, longitude, latitude)
        return None if metres > self.radius * self.unit else metres

    def reach(self) -> float:
        """Return the metres to the farthest place."""
        return self.radius * self.unit

    def half_extents(self) -> tuple[float, float]:
        """Return (half the width, half the height) in metres."""
        return self.unit * self.radius, self.unit * self.radius


@dataclass(frozen=True, slots=True)
class Box:
    """The places up to half of `width` and `height` units from a centre, along parallel and meridian."""

    longitude: float
    latitude: float
    width: float
    height: float
    unit: float = 1.0

    def distance_to(self, longitude: float, latitude: float) -> float | None:
        """Return the metres from the centre to a place, or None if it lies outside."""
        if latitude_distance(latitude, self.latitude) > self.height * self.unit / 2:
            return None
        if distance(longitude, latitude, self.longitude, latitude) > self.width * self.unit / 2:
            return None
        return distance(self.longitude, self.latitude, longitude, latitude)

    def reach(self) -> float:
        """Return the metres to a corner."""
        return sqrt((self.width / 2) * (self.width / 2) + (self.height / 2) * (self.height / 2)) * self.unit

    def half_extents(self) -> tuple[float, float]:
        """Return (half the width, half the height) in metres."""
        return self.unit * (self.width / 2), self.unit * (self.height / 2)


class Polygon:
    """The places within a ring of (longitude, latitude) vertices, at least three; straight lines on the map.

    It has no centre of its own, so distances are from the middle of its vertices, on the sphere.
    """

    __slots__ = ("latitude", "longitude", "vertices")

    unit = 1.0

    def __init__(self, vertices: Sequence[tuple[float, float]]) -> None:
        self.vertices: Final = tuple(vertices)
        x = y = z = 0.0
        for longitude, latitude in self.vertices:
            around, up = longitude * _RADIANS, latitude * _RADIANS
            x += cos(around) * cos(up)
            y += sin(around) * cos(up)
            z += sin(up)
        self.longitude: Final = atan2(y, x) / _RADIANS
        self.latitude: Final = atan2(z, sqrt(x * x + y * y)) / _RADIANS

    def distance_to(self, longitude: float, latitude: float) -> float | None:
        """Return the metres from the middle to a place, or None if it lies outside. O(vertices).

        A place is inside if a line from it to the east crosses the ring an odd number of times.
        """
        is_inside = False
        from_x, from_y = self.vertices[-1]
        for x, y in self.vertices:
            crosses = (y > latitude) != (from_y > latitude)
            if crosses and (latitude - y) * (from_x - x) / (from_y - y) + x > longitude:
                is_inside = not is_inside
            from_x, from_y = x, y
        return distance(self.longitude, self.latitude, longitude, latitude) if is_inside else None

    def bounds(self) -> tuple[float, float, float, float]:
        """Return (west, south, east, north) in degrees."""
        longitudes, latitudes = zip(*self.vertices, strict=True)
        return min(longitudes), min(latitudes), max(longitudes), max(latitudes)

    def reach(self) -> float:
        """Return the metres to the farthest corner of its bounds."""
        west, south, east, north = self.bounds()
        corners = ((west, south), (west, north), (east, south), (east, north))
        return max(distance(self.longitude, self.latitude, *corner) for corner in corners)


Area = Circle | Box | Polygon


def bounding_box(area: Area) -> tuple[float, float, float, float]:
    """Return (west, south, east, north) around an area in degrees.

    A degree of longitude is shortest at the side nearer to a pole, so the width is taken there.
    """
    if isinstance(area, Polygon):
        return area.bounds()
    half_width, half_height = area.half_extents()
    latitude_delta = half_height / EARTH_RADIUS / _RADIANS
    side = area.latitude - latitude_delta if area.latitude < 0 else area.latitude + latitude_delta
    longitude_delta = half_width / EARTH_RADIUS / cos(side * _RADIANS) / _RADIANS
    return (
        area.longitude - longitude_delta,
        area.latitude - latitude_delta,
        area.longitude + longitude_delta,
        area.latitude + latitude_delta,
    )


def estimate_step(reach: float, latitude: float) -> int:
    """Return the step at which a cell is about as large as `reach` metres at this latitude, 1..26."""
    if reach == 0:
        return MAX_STEP
    step = 1
    while reach < _MERCATOR_MAX:
        reach *= 2
        step += 1
    step -= 2
    if abs(latitude) > 66:
        step -= 1
    if abs(latitude) > 80:
        step -= 1
    return min(max(step, 1), MAX_STEP)


_AROUND: Final = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1))
"""(east, north) of the neighbours, in the order a search visits them after the centre."""


def areas_of(area: Area) -> list[Cell]:
    """Return the cells that together cover an area, the centre's first, none twice."""
    west, south, east, north = bounding_box(area)
    step = estimate_step(area.reach(), area.latitude)
    # The middle of a polygon that reaches far around the Earth may lie beyond the northern or southern edge.
    latitude = min(max(area.latitude, LATITUDE_MIN), LATITUDE_MAX)
    centre = cell_of(area.longitude, latitude, step)
    if step > 1 and not _neighbours_cover(centre, west, south, east, north):
        step -= 1
        centre = cell_of(area.longitude, latitude, step)
    cell_west, cell_south, cell_east, cell_north = centre.bounds()
    is_reached = {
        (1, 0): cell_east <= east,
        (-1, 0): cell_west >= west,
        (0, 1): cell_north <= north,
        (0, -1): cell_south >= south,
    }
    cells = [centre]
    for right, up in _AROUND:
        # A single step is too coarse to say what lies beyond its neighbours, for they wrap around the map.
        wanted = step < 2 or (is_reached.get((right, 0), True) and is_reached.get((0, up), True))
        cell = centre.moved(right, up)
        if wanted and cell not in cells:
            cells.append(cell)
    return cells


def _neighbours_cover(centre: Cell, west: float, south: float, east: float, north: float) -> bool:
    """Tell whether the nine cells around and including `centre` reach over these bounds."""
    return (
        centre.moved(0, 1).bounds()[3] >= north
        and centre.moved(0, -1).bounds()[1] <= south
        and centre.moved(1, 0).bounds()[2] >= east
        and centre.moved(-1, 0).bounds()[0] <= west
    )
