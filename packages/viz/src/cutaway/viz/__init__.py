"""Pictures of live structures: HTML that follows the page's theme, and plain text beside it.

Every function here takes a snapshot, which the structure gives, and returns a `Picture`. It reads nothing
else, changes nothing and keeps nothing, so a picture made before a change can be put beside one made after.

    >>> from random import Random
    >>> from cutaway.datastructures import SkipList
    >>> index = SkipList(Random(3))
    >>> for score, member in [(31, b"Ada"), (4, b"Ben"), (15, b"Cleo")]:
    ...     index.insert(score, member)
    >>> print(skiplist(index.snapshot(), index.search_path(15, b"Cleo")))
    3 nodes in 2 lanes; the search makes 3 stops.
    lane 1  (1)--3-------------------------->o
    lane 0  (2)------->(3)------->o--------->o
            head       Ben 4      Cleo 15    Ada 31

Read `pictures` first (what a picture is), then `palette` (where its colours come from) and `svg` (how markup
is written); after these each file is one kind of picture.
"""

from cutaway.viz.byte_views import annotated_bytes
from cutaway.viz.charts import bars, plot
from cutaway.viz.dots import power_cut, sampling
from cutaway.viz.listpacks import listpack_spans
from cutaway.viz.pictures import Picture
from cutaway.viz.predictions import versus
from cutaway.viz.quicklists import quicklist
from cutaway.viz.skiplists import skiplist
from cutaway.viz.steppers import steps
from cutaway.viz.tables import dict_tables
from cutaway.viz.timelines import log_cuts, timeline
from cutaway.viz.timings import nanoseconds
from cutaway.viz.trees import avl_tree, radix_tree

__all__ = [
    "Picture",
    "annotated_bytes",
    "avl_tree",
    "bars",
    "dict_tables",
    "listpack_spans",
    "log_cuts",
    "nanoseconds",
    "plot",
    "power_cut",
    "quicklist",
    "radix_tree",
    "sampling",
    "skiplist",
    "steps",
    "timeline",
    "versus",
]
