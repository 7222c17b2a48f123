"""Publish and subscribe, keyspace notifications, client-side caching."""
