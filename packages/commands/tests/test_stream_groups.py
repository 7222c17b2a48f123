"""Consumer groups, compared with a real server."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TIMES = re.compile(rb"(idle|inactive|seen-time|active-time)\r\n:\d+")
DELIVERY = re.compile(rb":(?:1\d{12}|\d{1,6})\r\n:(\d+)\r\n")


def same_but_times(pair, *words):
    """Ask both, and insist on the same bytes, whatever moments and idle times they show."""
    ours, real = (TIMES.sub(rb"\1", reply) for reply in pair.both(*words))
    if words[0] == "XPENDING" or words[:2] == ("XINFO", "STREAM"):
        ours, real = (DELIVERY.sub(rb":T\r\n:\1\r\n", reply) for reply in (ours, real))
    assert ours == real, words


def test_groups_are_made_moved_and_removed(twins):
    twins.script(
        """
        XGROUP CREATE s g 0
        XGROUP CREATE s g $ FOO
        XGROUP CREATE s g x MKSTREAM
        XGROUP CREATE s g - MKSTREAM
        EXISTS s
        XGROUP CREATE s g $ MKSTREAM
        XGROUP CREATE s g $ MKSTREAM
        XGROUP CREATE s g 0
        XLEN s
        XADD s 1-1 f 1
        XADD s 1-2 f 1
        XGROUP CREATE s h $
        XGROUP CREATE s i 1 ENTRIESREAD 1
        XGROUP CREATE s j 1-1 ENTRIESREAD -1 mkstream
        XGROUP CREATE s k 1 ENTRIESREAD -2
        XGROUP CREATE s k 1 ENTRIESREAD x
        XGROUP CREATE s k 1 ENTRIESREAD
        XGROUP CREATE s k 1 MKSTREAM MKSTREAM MKSTREAM
        XGROUP CREATE s k 1 MKSTREAM MKSTREAM MKSTREAM MKSTREAM
        XGROUP CREATE none k 1 MKSTREAM MKSTREAM MKSTREAM MKSTREAM
        XGROUP create none k 1 ENTRIESREAD 1 ENTRIESREAD 1
        XGROUP CREATE s
        XGROUP CREATE s g
        XGROUP CREATE none g 1
        XINFO GROUPS s
        XGROUP SETID s g 1-2
        XGROUP SETID s g $
        XGROUP SETID s g -
        XGROUP SETID s g +
        XGROUP SETID s g x
        XGROUP SETID s g 1 ENTRIESREAD 5
        XGROUP SETID s g 1 ENTRIESREAD 5 ENTRIESREAD 5
        XGROUP SetId s g 1 MKSTREAM
        XGROUP SETID s g 1 ENTRIESREAD
        XGROUP SETID s none 1
        XGROUP SETID none g 1
        XINFO GROUPS s
        XGROUP CREATECONSUMER s g alice
        XGROUP CREATECONSUMER s g alice
        XGROUP CREATECONSUMER s none alice
        XGROUP CREATECONSUMER none g alice
        XGROUP CREATECONSUMER s g
        XGROUP CREATECONSUMER s g alice bob
        XGROUP DELCONSUMER s g alice
        XGROUP DELCONSUMER s g alice
        XGROUP DELCONSUMER s none alice
        XGROUP DELCONSUMER none g alice
        XGROUP DESTROY s g
        XGROUP DESTROY s g
        XGROUP DESTROY none g
        XGROUP DESTROY s
        XGROUP NONSENSE s g
        XGROUP
        XINFO GROUPS s
        XINFO GROUPS none
        XINFO GROUPS s x
        XINFO CONSUMERS s h
        XINFO CONSUMERS s none
        XINFO CONSUMERS none none
        XINFO STREAM s FULL
        XINFO STREAM s FULL COUNT 1
        XINFO STREAM s FULL COUNT 0
        XINFO STREAM s FULL COUNT -1
        XINFO STREAM s FULL COUNT x
        XINFO STREAM s FULL COUNT
        XINFO STREAM s FULL FOO 1
        XINFO stream s FOO
        XINFO STREAM s FULL COUNT 1 2
        XINFO NONSENSE s
        XINFO
        SET w v
        XGROUP CREATE w g 0 MKSTREAM
        XGROUP CREATE w g x
        XGROUP SETID w g 0
        XGROUP DESTROY w g
        XGROUP CREATECONSUMER w g c
        XGROUP DELCONSUMER w g c
        """
    )


def test_reading_acknowledging_and_claiming(twins):
    for line in """
        XADD s 1-1 f 1
        XADD s 2-1 f 2 g 3
        XADD s 3-1 f 3
        XADD t 1-1 f 1
        XGROUP CREATE s g 0
        XGROUP CREATE t g $
        XREADGROUP GROUP g alice COUNT 1 STREAMS s >
        XREADGROUP GROUP g alice STREAMS s 0
        XREADGROUP GROUP g alice STREAMS s 1-1
        XREADGROUP GROUP g bob STREAMS s t > >
        XREADGROUP GROUP g bob STREAMS s t 0 0
        XREADGROUP GROUP g bob COUNT 1 STREAMS s 0
        XREADGROUP GROUP g bob COUNT 0 STREAMS s 0
        XREADGROUP GROUP g bob STREAMS s >
        XREADGROUP GROUP g carol NOACK STREAMS s >
        XREADGROUP GROUP g carol STREAMS s 18446744073709551615-18446744073709551615
        XREADGROUP GROUP g carol STREAMS s $
        XREADGROUP GROUP g carol STREAMS s +
        XREADGROUP GROUP g carol STREAMS s -
        XREADGROUP GROUP g carol STREAMS s
        XREADGROUP GROUP g carol STREAMS s t >
        XREADGROUP GROUP none carol STREAMS s >
        XREADGROUP GROUP g carol STREAMS none >
        XREADGROUP GROUP g carol STREAMS s none > >
        XREADGROUP GROUP g carol COUNT x STREAMS s >
        XREADGROUP COUNT 1 NOACK NOACK STREAMS s >
        XREADGROUP GROUP g carol FOO STREAMS s >
        XREADGROUP GROUP g carol BLOCK -1 STREAMS s >
        XREADGROUP GROUP g carol BLOCK x STREAMS s >
        XREADGROUP GROUP g carol BLOCK 10 STREAMS s 0
        XPENDING s g
        XPENDING t g
        XPENDING s none
        XPENDING none g
        XPENDING s g - + 10
        XPENDING s g - + 10 bob
        XPENDING s g - + 10 nobody
        XPENDING s g - + 0
        XPENDING s g - + -1
        XPENDING s g (1-1 (3-1 10
        XPENDING s g IDLE 0 - + 10
        XPENDING s g IDLE 100000 - + 10
        XPENDING s g IDLE 100000 - + 10 bob
        XPENDING s g IDLE x - + 10
        XPENDING s g IDLE 0 - +
        XPENDING s g - +
        XPENDING s g -
        XPENDING s g x + 1
        XPENDING s g - x 1
        XPENDING s g - + x
        XPENDING s g - + 10 bob x
        XPENDING s g - + 10 bob x y
        XPENDING s g - + 10 bob x y z
        XPENDING s g IDLE 0 - + 10 bob x
        XINFO CONSUMERS s g
        XINFO STREAM s FULL
        XINFO GROUPS s
        XACK s g 1-1
        XACK s g 1-1
        XACK s g 2-1 x
        XACK s none 2-1
        XACK none g 2-1
        XACK none g x
        XACK s g 9-9 8-8
        XCLAIM s g alice 0 2-1
        XCLAIM s g alice 100000 3-1
        XCLAIM s g alice -5 3-1 JUSTID
        XCLAIM s g dave 0 1-1
        XCLAIM s g dave 0 1-1 FORCE
        XCLAIM s g dave 0 9-1 FORCE
        XCLAIM s g dave 0 1-1 2-1 3-1 IDLE 5000 RETRYCOUNT 7
        XPENDING s g IDLE 4900 - + 10
        XCLAIM s g dave 0 1-1 TIME 1
        XCLAIM s g dave 0 1-1 TIME 9999999999999
        XCLAIM s g dave 0 1-1 TIME -9
        XCLAIM s g dave 0 1-1 RETRYCOUNT -3
        XCLAIM s g dave 0 1-1 LASTID 9-9
        XCLAIM s g dave 0 LASTID 10-9
        XCLAIM s g dave 0 1-1 LASTID x
        XCLAIM s g dave 0 1-1 x 2-1
        XCLAIM s g dave 0 1-1 IDLE
        XCLAIM s g dave 0 1-1 IDLE x
        XCLAIM s g dave 0 1-1 TIME x
        XCLAIM s g dave 0 1-1 RETRYCOUNT x
        XCLAIM s g dave x 1-1
        XCLAIM s none dave 0 1-1
        XCLAIM none g dave 0 1-1
        XCLAIM s g dave 0
        XPENDING s g
        XINFO STREAM s FULL
        XDEL s 2-1
        XREADGROUP GROUP g dave STREAMS s 0
        XAUTOCLAIM s g erin 0 - COUNT 2
        XAUTOCLAIM s g erin 0 3-1
        XAUTOCLAIM s g erin 0 (3-1
        XAUTOCLAIM s g erin 0 + JUSTID
        XAUTOCLAIM s g erin 0 0 JUSTID COUNT 1
        XAUTOCLAIM s g erin 100000 0 JUSTID COUNT 1
        XAUTOCLAIM s g erin 0 0 COUNT 0
        XAUTOCLAIM s g erin 0 0 COUNT -1
        XAUTOCLAIM s g erin 0 0 COUNT x
        XAUTOCLAIM s g erin 0 0 COUNT 9223372036854775807
        XAUTOCLAIM s g erin 0 0 COUNT
        XAUTOCLAIM s g erin 0 0 FOO
        XAUTOCLAIM s g erin 0 x
        XAUTOCLAIM s g erin x 0
        XAUTOCLAIM s g erin 0 (18446744073709551615-18446744073709551615
        XAUTOCLAIM s none erin 0 0
        XAUTOCLAIM none g erin 0 0
        XDEL s 3-1
        XCLAIM s g frank 0 3-1
        XPENDING s g - + 10
        XGROUP DELCONSUMER s g erin
        XGROUP DELCONSUMER s g dave
        XPENDING s g
        XINFO STREAM s FULL
        XGROUP SETID s g 0
        XREADGROUP GROUP g gina STREAMS s >
        XREADGROUP GROUP g gina STREAMS s 0
        SET w v
        XREADGROUP GROUP g c STREAMS w >
        XACK w g 1
        XCLAIM w g c 0 1
        XAUTOCLAIM w g c 0 0
        XAUTOCLAIM w g c 0 x
        XPENDING w g
        XPENDING w g x + 1
    """.strip().splitlines():
        same_but_times(twins, *line.split())


def test_lag_is_known_where_a_real_server_knows_it(twins):
    twins.script(
        """
        XGROUP CREATE s g 0 MKSTREAM
        XINFO GROUPS s
        XADD s 1-1 f 1
        XADD s 2-1 f 1
        XADD s 3-1 f 1
        XADD s 4-1 f 1
        XADD s 5-1 f 1
        XGROUP CREATE s h 3-1
        XINFO GROUPS s
        XREADGROUP GROUP g a COUNT 2 STREAMS s >
        XINFO GROUPS s
        XDEL s 4-1
        XINFO GROUPS s
        XREADGROUP GROUP g a COUNT 1 STREAMS s >
        XREADGROUP GROUP h a COUNT 1 STREAMS s >
        XINFO GROUPS s
        XDEL s 1-1
        XINFO GROUPS s
        XTRIM s MAXLEN 1
        XINFO GROUPS s
        XADD s 6-1 f 1
        XGROUP CREATE s i 0
        XINFO GROUPS s
        XREADGROUP GROUP i a COUNT 1 STREAMS s >
        XINFO GROUPS s
        XTRIM s MAXLEN 0
        XINFO GROUPS s
        XADD s 7-1 f 1
        XINFO GROUPS s
        """
    )


ID = st.tuples(st.integers(0, 6), st.integers(0, 2)).map(lambda pair: f"{pair[0]}-{pair[1]}")
PLACE = st.one_of(ID, ID.map("({}".format), st.sampled_from(["-", "+", "0", ">", "$", "x"]))
KEY = st.sampled_from(["a", "b"])
GROUP = st.sampled_from(["g", "h"])
NAME = st.sampled_from(["x", "y"])
COUNT = st.integers(-1, 4)
IDLE = st.sampled_from([0, 100_000])
FLAGS = st.lists(
    st.sampled_from(["FORCE", "JUSTID", "RETRYCOUNT 3", "IDLE 200000", "LASTID 3-1", "TIME 5"]), max_size=3
)
COMMAND = st.one_of(
    st.builds(lambda key, ms: f"XADD {key} {ms}-* f v", KEY, st.integers(1, 6)),
    st.builds(lambda key, ms: f"XADD {key} {ms}-* f v", KEY, st.integers(1, 6)),
    st.builds(lambda key, entry_id: f"XDEL {key} {entry_id}", KEY, ID),
    st.builds(lambda key, size: f"XTRIM {key} MAXLEN {size}", KEY, COUNT),
    st.builds(lambda key, group, place: f"XGROUP CREATE {key} {group} {place} MKSTREAM", KEY, GROUP, PLACE),
    st.builds(lambda key, group: f"XGROUP CREATE {key} {group} 0 MKSTREAM", KEY, GROUP),
    st.builds(lambda key, group, place, read: f"XGROUP SETID {key} {group} {place} ENTRIESREAD {read}", KEY, GROUP, PLACE, COUNT),
    st.builds(lambda key, group: f"XGROUP DESTROY {key} {group}", KEY, GROUP),
    st.builds(lambda key, group, name: f"XGROUP DELCONSUMER {key} {group} {name}", KEY, GROUP, NAME),
    st.builds(lambda group, name, count, noack, place: f"XREADGROUP GROUP {group} {name} COUNT {count} {noack}STREAMS a b > {place}",
              GROUP, NAME, COUNT, st.sampled_from(["", "NOACK "]), PLACE),
    st.builds(lambda key, group, name, count: f"XREADGROUP GROUP {group} {name} COUNT {count} STREAMS {key} >", KEY, GROUP, NAME, COUNT),
    st.builds(lambda key, group, name, count: f"XREADGROUP GROUP {group} {name} COUNT {count} STREAMS {key} >", KEY, GROUP, NAME, COUNT),
    st.builds(lambda key, group, ids: f"XACK {key} {group} {' '.join(ids)}", KEY, GROUP, st.lists(ID, min_size=1, max_size=3)),
    st.builds(lambda key, group, name, idle, ids, flags: f"XCLAIM {key} {group} {name} {idle} {' '.join([*ids, *flags])}",
              KEY, GROUP, NAME, IDLE, st.lists(ID, min_size=1, max_size=3), FLAGS),
    st.builds(lambda key, group, name, idle, place, count: f"XAUTOCLAIM {key} {group} {name} {idle} {place} COUNT {count}",
              KEY, GROUP, NAME, IDLE, PLACE, COUNT),
    st.builds(lambda key, group: f"XPENDING {key} {group}", KEY, GROUP),
    st.builds(lambda key, group, start, end, count: f"XPENDING {key} {group} {start} {end} {count}", KEY, GROUP, PLACE, PLACE, COUNT),
    st.builds(lambda key: f"XINFO STREAM {key} FULL", KEY),
    st.builds(lambda key: f"XINFO GROUPS {key}", KEY),
)  # fmt: skip
HISTORY = st.lists(COMMAND, min_size=5, max_size=40)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=HISTORY, protocol=st.sampled_from([2, 3]))
def test_any_sequence_of_commands_answers_as_a_real_server(make_twins, commands, protocol):
    pair = make_twins(protocol)
    try:
        for command in commands:
            same_but_times(pair, *command.split())
    finally:
        pair.real.close()
    for entry in pair.client.db.keys.values():
        entry.value.check()
