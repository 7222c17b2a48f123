"""Places, and what is near them, compared with a real server."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cutaway.commands import Engine
from cutaway.commands.geo_searches import geo
from cutaway.datastructures.geohashes import LATITUDE_MAX, Polygon

SICILY = (
    "13.361389 38.115556 Palermo 15.087269 37.502669 Catania "
    "12.758489 38.788135 edge1 17.241510 38.788135 edge2"
)
RANDOM = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_single_places(twins):
    twins.same("GEOADD", "s", *SICILY.split())
    twins.script(
        """
        GEOADD s NX 1 2 Palermo 3 4 new
        GEOADD s XX CH 1 2 Palermo 3 4 other
        GEOADD s ch 5 6 Palermo 7 8 third
        GEOADD s NX XX 1 2 m
        GEOADD s CH CH CH
        GEOADD s 1 2
        GEOADD s 1 2 m 3
        GEOADD s 1 x m
        GEOADD s x 2 m
        GEOADD s 181 2 m
        GEOADD s 1 86 m
        GEOADD s inf 2 m
        GEOADD s nan 2 m
        GEOADD s 1 2 a 200 2 b
        EXISTS fresh
        GEOADD fresh 200 1 m
        EXISTS fresh
        GEOADD fresh XX 2 1 m
        GEOADD s +.5e1 2. spelled
        ZRANGE s 0 -1 WITHSCORES
        GEOPOS s Palermo nope Catania third
        GEOPOS s
        GEOPOS none a b
        GEOHASH s Palermo nope Catania
        GEOHASH s
        GEOHASH none a
        GEODIST s Palermo Catania
        GEODIST s Palermo Catania km
        GEODIST s Palermo Catania FT
        GEODIST s Palermo Catania mi
        GEODIST s Palermo Palermo
        GEODIST s Palermo nope
        GEODIST s nope Palermo km
        GEODIST none a b
        GEODIST none a b parsec
        GEODIST s a b m m
        GEODIST s a
        SET k v
        GEOADD k 1 2 m
        GEOADD k 1 x m
        GEOPOS k m
        GEOHASH k m
        GEODIST k a b
        GEODIST k a b parsec
        ZADD z 1e300 huge -5 negative 1.5 half
        GEOPOS z negative half
        GEOHASH z half
        """
    )


SEARCHES = """
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km ASC
    GEOSEARCH s fromlonlat 15 37 bybox 400 400 km asc withcoord withdist withhash
    GEOSEARCH s FROMMEMBER Palermo BYRADIUS 300 km DESC WITHDIST
    GEOSEARCH s FROMMEMBER Palermo BYBOX 0 0 m WITHDIST
    GEOSEARCH s FROMMEMBER nope BYRADIUS 1 km
    GEOSEARCH none FROMMEMBER nope BYRADIUS 1 km
    GEOSEARCH s FROMMEMBER Palermo FROMLONLAT 1 2 BYRADIUS 1 km
    GEOSEARCH s FROMLONLAT 1 2 FROMMEMBER Palermo BYRADIUS 1 km
    GEOSEARCH s FROMMEMBER Palermo FROMMEMBER Catania BYRADIUS 1 km
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km BYBOX 1 1 km
    GEOSEARCH s FROMLONLAT 15 37 BYBOX 1 1 km BYRADIUS 200 km
    GEOSEARCH s FROMLONLAT 15 37 BYBOX 1 1
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS x km
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS -1 parsec
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 1 parsec
    GEOSEARCH s FROMLONLAT 15 37 BYBOX x y km
    GEOSEARCH s FROMLONLAT 15 37 BYBOX 1 y km
    GEOSEARCH s FROMLONLAT 15 37 BYBOX 1 -1 parsec
    GEOSEARCH s FROMLONLAT 15 x BYRADIUS 1 km
    GEOSEARCH s FROMLONLAT 15 99 BYRADIUS 1 km
    GEOSEARCH s FROMLONLAT 15 37 COUNT 1 ASC WITHDIST
    GEOSEARCH s BYRADIUS 1 km ASC COUNT 1 WITHDIST
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 900 km COUNT 2
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 900 km COUNT 2 DESC
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 900 km COUNT 1 ANY
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 900 km COUNT 99 ANY ASC
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 900 km ANY
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 900 km COUNT 0
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 900 km COUNT -1
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 900 km COUNT x
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 900 km COUNT
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 900 km STORE d
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 900 km STOREDIST
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 900 km FOO
    GEOSEARCH k FROMLONLAT 15 37 BYRADIUS x km FOO
    GEOSEARCH none FROMLONLAT 15 37 BYRADIUS 900 km
    GEOSEARCH s BYPOLYGON 4 12 37 18 37 18 39 12 39 WITHDIST WITHCOORD ASC
    GEOSEARCH s BYPOLYGON 3 12 37 18 37 18 39 COUNT 1
    GEOSEARCH s BYPOLYGON 3 12 37 18 37 18 39 BYPOLYGON 3 12 37 18 37 12 39
    GEOSEARCH s BYPOLYGON 3 12 37 18 37 18 39 12 39
    GEOSEARCH s BYPOLYGON 2 12 37 18 37 WITHDIST
    GEOSEARCH s BYPOLYGON 5 12 37 18 37 18 39
    GEOSEARCH s BYPOLYGON -1 12 37 18 37 18 37
    GEOSEARCH s BYPOLYGON x 12 37 18 37 18 37
    GEOSEARCH s BYPOLYGON 2147483647 12 37 18 37 18 37
    GEOSEARCH s BYPOLYGON 2147483648 12 37 18 37 18 37
    GEOSEARCH s BYPOLYGON 3 12 37 18 x 18 37
    GEOSEARCH s BYPOLYGON 3 12 37 18 99 18 37
    GEOSEARCH none BYPOLYGON 3 12 37 18 x 18 39
    GEOSEARCH s ASC ASC ASC ASC ASC BYPOLYGON
    GEOSEARCH s ASC ASC ASC ASC ASC BYPOLYGON x
    GEOSEARCH s ASC ASC ASC ASC ASC BYPOLYGON x 1
    GEOSEARCH s FROMLONLAT 15 37 BYPOLYGON 3 12 37 18 37 18 39
    GEOSEARCH s FROMMEMBER Palermo BYPOLYGON 3 12 37 18 37 18 39
    GEOSEARCH s BYPOLYGON 3 12 37 18 37 18 39 FROMMEMBER Palermo
    GEOSEARCH s BYPOLYGON 3 12 37 18 37 18 39 FROMLONLAT 1 2
    GEOSEARCH s BYPOLYGON 3 12 37 18 37 18 39 BYRADIUS 1 km
    GEORADIUS s 15 37 200 km ASC WITHDIST WITHHASH WITHCOORD
    GEORADIUS s 15 37 200 km COUNT 1 STORE d
    GEORADIUS s 15 37 200 km STOREDIST d STORE d WITHDIST
    GEORADIUS s 15 37 200 km STORE
    GEORADIUS s 15 37 x km
    GEORADIUS s 15 37 -1 km
    GEORADIUS s 15 x x km
    GEORADIUS s 15 37 1 parsec FOO
    GEORADIUS s 15 37 1 km FROMMEMBER x
    GEORADIUS none 15 37 1 km
    GEORADIUS none 15 37 1 km FOO
    GEORADIUS none 15 37 1 km STORE d
    GEORADIUS_RO s 15 37 200 km DESC
    GEORADIUS_RO s 15 37 200 km STORE d
    GEORADIUSBYMEMBER s Palermo 200 km ASC
    GEORADIUSBYMEMBER s nope 200 km ASC
    GEORADIUSBYMEMBER s Palermo x km ASC
    GEORADIUSBYMEMBER none Palermo x parsec ASC
    GEORADIUSBYMEMBER none Palermo 1 km FOO
    GEORADIUSBYMEMBER s Palermo 200 km STOREDIST d
    GEORADIUSBYMEMBER_RO s Palermo 200 km WITHDIST ASC
    GEORADIUSBYMEMBER_RO s Palermo 200 km STOREDIST d
    GEORADIUS k 200 200 x y FOO
    GEOSEARCHSTORE d s FROMLONLAT 15 37 BYRADIUS 200 mi STOREDIST
    GEOSEARCHSTORE d s FROMLONLAT 15 37 BYRADIUS 200 mi COUNT 1
    GEOSEARCHSTORE d s FROMLONLAT 15 37 BYRADIUS 200 mi WITHDIST
    GEOSEARCHSTORE d s FROMLONLAT 15 37 BYRADIUS 200 mi STORE x
    GEOSEARCHSTORE d s FROMLONLAT 15 37 COUNT 2 ASC STOREDIST
    GEOSEARCHSTORE d s BYPOLYGON 3 12 37 18 37 18 39 STOREDIST
    GEOSEARCHSTORE s s FROMMEMBER Palermo BYRADIUS 1 m
    GEOSEARCHSTORE k none FROMMEMBER Palermo BYRADIUS 1 m
    GEOSEARCHSTORE d s FROMLONLAT 0 0 BYRADIUS 1 m
    GEOSEARCHSTORE d k FROMLONLAT 0 0 BYRADIUS 1 m
    """


@pytest.mark.parametrize("is_large", [False, True])
def test_every_form_of_search(twins, is_large):
    for line in SEARCHES.strip().splitlines():
        twins.same("DEL", "s")
        twins.same("GEOADD", "s", *SICILY.split())
        if is_large:
            twins.same("ZADD", "s", 0, "x" * 100)
        twins.same("SET", "k", "v")
        twins.script(line)
        for key in ("d", "s", "k"):
            twins.same("TYPE", key)
        for key in ("d", "s"):
            twins.same("ZRANGE", key, "0", "-1", "WITHSCORES")
            twins.same("OBJECT", "ENCODING", key)


LONGITUDES = st.floats(-180, 180).map(lambda x: round(x, 4)) | st.sampled_from([-180, 180, 0, 179.9999])
LATITUDES = st.floats(-85.05, 85.05).map(lambda y: round(y, 4)) | st.sampled_from([-85.05, 85.05, 0])
PLACES = st.tuples(LONGITUDES, LATITUDES)
UNITS = st.sampled_from(["m", "km", "mi", "ft"])
SIZES = st.floats(0, 30_000).map(lambda number: round(number, 2)) | st.sampled_from([0, 1, 1000])
AREAS = st.one_of(
    st.tuples(st.just("BYRADIUS"), SIZES, UNITS), st.tuples(st.just("BYBOX"), SIZES, SIZES, UNITS)
)


@RANDOM
@given(st.lists(PLACES, min_size=1, max_size=60), PLACES, AREAS)
def test_random_places_around_random_centres(twins, places, centre, area):
    twins.same("DEL", "s")
    words = [word for number, place in enumerate(places) for word in (*place, f"m{number}")]
    twins.same("GEOADD", "s", *words)
    twins.same("GEOPOS", "s", "m0")
    twins.same("GEODIST", "s", "m0", f"m{len(places) - 1}", "km")
    twins.same("GEOSEARCH", "s", "FROMLONLAT", *centre, *area, "WITHCOORD", "WITHHASH", "WITHDIST")
    twins.same("GEOSEARCH", "s", "FROMMEMBER", "m0", *area, "COUNT", "3", "ANY")


NEAR = st.tuples(st.floats(10, 20).map(lambda x: round(x, 3)), st.floats(35, 45).map(lambda y: round(y, 3)))


@RANDOM
@given(st.lists(NEAR, min_size=1, max_size=40), st.lists(NEAR | PLACES, min_size=3, max_size=7))
def test_random_places_in_random_polygons(twins, places, vertices):
    # Where the middle lies beyond the map, the real server searches cells that nobody chose.
    assume(abs(Polygon(vertices).latitude) < LATITUDE_MAX)
    twins.same("DEL", "s")
    words = [word for number, place in enumerate(places) for word in (*place, f"m{number}")]
    twins.same("GEOADD", "s", *words)
    words = [coordinate for vertex in vertices for coordinate in vertex]
    twins.same("GEOSEARCH", "s", "BYPOLYGON", len(vertices), *words, "WITHDIST", "WITHHASH")


def test_a_polygon_around_a_pole_has_its_middle_beyond_the_map_and_is_searched_all_the_same():
    engine = Engine(geo)
    engine.do("GEOADD", "s", 10, 84, "inside", 10, 70, "outside")
    ring = [word for longitude in (-170, -90, 10, 90, 170) for word in (longitude, 80)]
    assert engine.do("GEOSEARCH", "s", "BYPOLYGON", 7, *ring, 170, 85, -170, 85) == [b"inside"]
