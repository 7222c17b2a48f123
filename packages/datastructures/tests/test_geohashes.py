"""Geohashes: the scores, places, distances, texts and search results of a real server."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.datastructures import geohashes as geo

longitudes = st.floats(geo.LONGITUDE_MIN, 179.99)
latitudes = st.floats(geo.LATITUDE_MIN, 85.05)
units = st.sampled_from([1.0, 0.3048, 1000.0])


def search(places: dict[str, int], area: geo.Circle | geo.Box) -> list[str]:
    """Search as a command does: the cells in order, the scores within each in order, the distance of each."""
    ordered = sorted((score, name) for name, score in places.items())
    found = []
    for cell in geo.areas_of(area):
        low, high = cell.score_range()
        found += [
            name
            for score, name in ordered
            if low <= score < high and area.distance_to(*geo.decode(score)) is not None
        ]
    return found


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_interleaved_bits_come_apart_again(even: int, odd: int) -> None:
    assert geo.deinterleave(geo.interleave(even, odd)) == (even, odd)
    assert geo.interleave(even, 0) == int(f"{even:b}", 4)


@given(longitudes, latitudes, st.integers(1, 26))
def test_a_place_lies_in_its_cell_and_its_score_in_the_cells_range(lon: float, lat: float, step: int) -> None:
    cell = geo.cell_of(lon, lat, step)
    west, south, east, north = cell.bounds()
    assert west - 1e-9 <= lon <= east + 1e-9
    assert south - 1e-9 <= lat <= north + 1e-9
    low, high = cell.score_range()
    assert low <= geo.encode(lon, lat) < high


@given(longitudes, latitudes)
def test_decoding_a_score_comes_within_a_metre(lon: float, lat: float) -> None:
    assert geo.distance(lon, lat, *geo.decode(geo.encode(lon, lat))) < 1


@given(longitudes, latitudes, st.integers(1, 26), st.sampled_from([-1, 0, 1]), st.sampled_from([-1, 0, 1]))
def test_a_step_there_and_back_ends_where_it_began(
    lon: float, lat: float, step: int, east: int, north: int
) -> None:
    cell = geo.cell_of(lon, lat, step)
    moved = cell.moved(east, north)
    assert moved.moved(-east, -north) == cell
    assert (moved == cell) == (not east and not north)


@given(
    st.lists(st.tuples(longitudes, latitudes), max_size=30),
    st.floats(-179, 179),
    st.floats(-60, 60),
    st.floats(0, 2000),
    st.floats(0, 2000),
    units,
)
@settings(max_examples=100, deadline=None)
def test_cells_cover_the_area_and_none_comes_twice(
    points: list[tuple[float, float]], lon: float, lat: float, width: float, height: float, unit: float
) -> None:
    """Away from the poles and the date line, the nine cells miss nothing that lies in the area."""
    places = {str(number): geo.encode(*point) for number, point in enumerate(points)}
    for area in (geo.Box(lon, lat, width, height, unit), geo.Circle(lon, lat, width / 2, unit)):
        west, _, east, _ = geo.bounding_box(area)
        found = search(places, area)
        assert len(found) == len(set(found))
        if west > geo.LONGITUDE_MIN and east < geo.LONGITUDE_MAX:
            inside = [name for name, s in places.items() if area.distance_to(*geo.decode(s)) is not None]
            assert sorted(found) == sorted(inside)


@pytest.mark.parametrize(
    ("lon", "lat"), [(180.1, 0), (-180.1, 0), (0, 85.06), (0, -85.06), (float("nan"), 0)]
)
def test_a_place_off_the_map_is_refused(lon: float, lat: float) -> None:
    with pytest.raises(ValueError, match="invalid longitude,latitude pair"):
        geo.encode(lon, lat)


def test_scores_places_and_texts_are_a_real_servers(server: Any) -> None:
    server.flushall()
    rng = Random(52)
    points = [(rng.uniform(-180, 180), rng.uniform(geo.LATITUDE_MIN, geo.LATITUDE_MAX)) for _ in range(300)]
    points += [(180.0, geo.LATITUDE_MAX), (-180.0, geo.LATITUDE_MIN), (0.0, 0.0)]
    names = [str(number) for number in range(len(points))]
    for name, (lon, lat) in zip(names, points, strict=True):
        server.execute_command("GEOADD", "k", repr(lon), repr(lat), name)
    scores = [geo.encode(*point) for point in points]
    assert [int(server.zscore("k", name)) for name in names] == scores
    theirs = [tuple(map(float, place)) for place in server.execute_command("GEOPOS", "k", *names)]
    places = [geo.decode(score) for score in scores]
    assert theirs == [(float(f"{lon:.17f}"), float(f"{lat:.17f}")) for lon, lat in places]
    assert [geo.text_of(score).decode() for score in scores] == [
        text.decode() if isinstance(text, bytes) else text
        for text in server.execute_command("GEOHASH", "k", *names)
    ]
    for one, other in pairwise(names):
        metres = geo.distance(*geo.decode(scores[int(one)]), *geo.decode(scores[int(other)]))
        assert float(server.execute_command("GEODIST", "k", one, other)) == round(metres, 4)


@pytest.mark.parametrize("seed", range(6))
def test_searches_are_a_real_servers(server: Any, seed: int) -> None:
    """The same members in the same order: the order tells that the cells are visited alike."""
    server.flushall()
    rng = Random(seed)
    places = {}
    for number in range(400):
        lon, lat = rng.uniform(-180, 180), rng.uniform(-85, 85)
        if number % 2:
            lon, lat = rng.uniform(10, 12), rng.uniform(50, 52)
        places[str(number)] = geo.encode(lon, lat)
        server.execute_command("GEOADD", "k", repr(lon), repr(lat), str(number))
    for _ in range(60):
        lon, lat = rng.choice([(11.0, 51.0), (rng.uniform(-180, 180), rng.uniform(-85, 85))])
        unit, name = rng.choice([(1.0, "m"), (1000.0, "km"), (0.3048, "ft"), (1609.34, "mi")])
        width, height = (10 ** rng.uniform(1, 7.2) / unit for _ in range(2))
        centre = ["FROMLONLAT", repr(lon), repr(lat)]
        theirs = server.execute_command("GEOSEARCH", "k", *centre, "BYRADIUS", repr(width), name)
        assert [member.decode() for member in theirs] == search(places, geo.Circle(lon, lat, width, unit))
        theirs = server.execute_command("GEOSEARCH", "k", *centre, "BYBOX", repr(width), repr(height), name)
        assert [member.decode() for member in theirs] == search(
            places, geo.Box(lon, lat, width, height, unit)
        )
