"""Publish and subscribe, keyspace notifications, client-side caching.

`channels` is where to start: who listens to what, and the way of a message. `notifications` and `tracking`
both tell clients what happens to keys, the one to whoever asks, the other to whoever has read them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutaway.config import glob
from cutaway.pubsub import channels, tracking
from cutaway.pubsub.channels import Hub, MakeMatcher, Subscriptions
from cutaway.pubsub.notifications import Notifications
from cutaway.pubsub.publishing import pubsub
from cutaway.pubsub.tracking import Tracked, Tracking
from cutaway.pubsub.tracking_commands import tracking_commands

if TYPE_CHECKING:
    from cutaway.commands import Engine

__all__ = [
    "Hub",
    "Notifications",
    "Subscriptions",
    "Tracked",
    "Tracking",
    "install",
    "pubsub",
    "tracking_commands",
]


def install(engine: Engine, matcher: MakeMatcher = glob.matcher) -> Tracking:
    """Give `engine` its subscriptions, and let its keyspace tell what happens to keys; `matcher` compiles patterns.

    Whoever runs the event loop calls the result's `broadcast` at the end of each turn; without one, the
    regular work does.
    """
    hub = engine.extras[channels.ROOM] = Hub(matcher)
    Notifications(engine, hub)
    table = engine.extras[tracking.ROOM] = Tracking(engine)
    engine.on_cron = (*engine.on_cron, table.cron)
    return table
