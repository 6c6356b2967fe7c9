"""Remove blobs that nothing names: what a process that died left between bytes and row.

A blob that is older than any upload takes and has no row never gets one, since each upload
puts its bytes under a key of its own (`common.storage.images`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final
from uuid import UUID

import structlog

from common import clock
from common.blobs.store import BlobStore
from common.domain.errors import BlobsUnavailable
from common.settings import Settings
from common.storage import images
from common.storage.engine import Database, DatabaseError, sqlstate

_BATCH: Final = 500
_log = structlog.get_logger()


class BlobCollector:
    """Any number may run: what one has removed the others no longer find."""

    def __init__(self, settings: Settings, database: Database, blobs: BlobStore) -> None:
        self._settings = settings
        self._database = database
        self._blobs = blobs

    def collect(self, now: datetime) -> int:
        """Look at all blobs once; returns how many were removed.

        Raises:
            common.domain.errors.BlobsUnavailable: the store cannot be reached.
            common.storage.engine.DatabaseError: the database cannot be reached.
        """
        old = now - timedelta(seconds=self._settings.blob_orphan_seconds)
        removed = 0
        for keys in _batches(self._blobs.older_than(old)):
            for key in self._unnamed(keys):
                self._blobs.delete(key)
                removed += 1
        if removed:
            _log.info("blobs_collected", removed=removed)
        return removed

    def run(self, stop: threading.Event) -> None:
        """Collect every so often until stopped; what is away is looked for the next time."""
        while not stop.is_set():
            try:
                self.collect(clock.now())
            except BlobsUnavailable as failure:
                cause = type(failure.__cause__ or failure).__name__
                _log.warning("blobs_not_collected", error=cause)
            except DatabaseError as failure:
                kind, code = type(failure).__name__, sqlstate(failure)
                _log.warning("blobs_not_collected", error=kind, sqlstate=code)
            stop.wait(self._settings.blob_collect_seconds)

    def _unnamed(self, keys: list[str]) -> list[str]:
        """Those of the keys that are no blob's with a row, whatever they are."""
        blob_ids = {key: _blob_of(key) for key in keys}
        with self._database.reading() as tx:
            known = images.existing_blobs(tx, {each for each in blob_ids.values() if each})
        return [key for key, blob_id in blob_ids.items() if blob_id not in known]


def _blob_of(key: str) -> UUID | None:
    """The blob that a key is of, None for a file that was never finished."""
    name, _, kind = key.rpartition("/")[2].partition(".")
    try:
        return UUID(hex=name) if kind in ("", "thumbnail") else None
    except ValueError:
        return None


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(keys)
    while batch := list(islice(remaining, _BATCH)):
        yield batch
