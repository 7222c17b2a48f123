"""A server and its terminals in one process, without sockets, files, threads or a clock of their own.

The rooms of the house below `server` ask for nothing that a web page does not have, so they run in one: Python in WebAssembly,
the engine in it, and terminals whose keystrokes come from the page. This package is the Python half of that page. It also runs
where there is no page:

    >>> place = Playground()
    >>> printed = []
    >>> terminal = place.open(printed.append)
    >>> terminal.enter("SET greeting hello")
    >>> terminal.enter("GET greeting")
    >>> print("".join(printed))
    OK
    "hello"
    <BLANKLINE>

* `engines`: which rooms are in it, and with which settings.
* `terminals`: one client: a line typed, what is printed, the prompt, the hint behind the cursor.
* `views`: the bytes that the last command sent and received, and the structure that its key holds now, as pictures.
"""

from cutaway.playground.engines import SMALL, compose
from cutaway.playground.places import Playground
from cutaway.playground.terminals import Terminal
from cutaway.playground.views import structure_view, wire_view

__all__ = ["SMALL", "Playground", "Terminal", "compose", "structure_view", "wire_view"]
