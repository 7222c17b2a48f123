"""Publish and subscribe, keyspace notifications, client-side caching.

`channels` is where to start: who listens to what, and the way of a message. `notifications` and `tracking` both tell clients
what happens to keys, the one to whoever asks, the other to whoever has read them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutaway.pubsub.channels import ROOM, Hub, Subscriptions
from cutaway.pubsub.notifications import Notifications
from cutaway.pubsub.publishing import pubsub

if TYPE_CHECKING:
    from cutaway.commands import Engine

__all__ = ["Hub", "Notifications", "Subscriptions", "install", "pubsub"]


def install(engine: Engine) -> None:
    """Give `engine` its subscriptions, and let its keyspace tell what happens to keys."""
    hub = engine.extras[ROOM] = Hub()
    Notifications(engine, hub)
