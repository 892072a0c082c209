"""Answers on disk: one SQLite file per user, shared by every process, private to the user."""

from compose.models.cache.cache import Cache, CacheStats
from compose.models.cache.key import key_of, public_id

__all__ = ["Cache", "CacheStats", "key_of", "public_id"]
