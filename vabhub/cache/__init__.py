"""Caching in three tiers: memory, Redis, database. `@cached` is the way in."""

from vabhub.cache.build import Served
from vabhub.cache.cached import cached
from vabhub.cache.codec import Unserialisable
from vabhub.cache.tiers import Tiers, store, use_store

__all__ = ["Served", "Tiers", "Unserialisable", "cached", "store", "use_store"]
