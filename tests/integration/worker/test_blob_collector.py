"""Blobs that nothing names are removed, and only those."""

import io
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.blobs.filesystem import FilesystemBlobs
from common.clock import new_id, now
from common.domain.errors import BlobsUnavailable
from common.domain.ids import DEFAULT_ORGANIZATION
from common.domain.image import Picture
from common.storage import images
from common.storage.engine import Database
from tests.conditions import wait_until
from tests.integration.worker.conftest import World
from worker.blob_collector import BlobCollector


@pytest.fixture
def root(world: World) -> Path:
    return Path(world.settings.storage_directory) / "blobs"


@pytest.fixture
def collector(world: World, root: Path) -> BlobCollector:
    return BlobCollector(world.settings, world.database, FilesystemBlobs(root))


def _put(root: Path, *, has_row: bool, database: Database) -> list[Path]:
    """An image and its thumbnail as an upload leaves them."""
    blob_id, blobs = new_id(), FilesystemBlobs(root)
    keys = [
        images.blob_key(DEFAULT_ORGANIZATION, blob_id),
        images.thumbnail_key(DEFAULT_ORGANIZATION, blob_id),
    ]
    for key in keys:
        blobs.put(key, io.BytesIO(b"x"))
    if has_row:
        with database.transaction() as tx:
            picture = Picture("image/png", 1, 1, "image/png")
            images.insert_blob(
                tx, DEFAULT_ORGANIZATION, blob_id, picture, digest=blob_id.hex, size_bytes=1
            )
    return [root / key for key in keys]


def _after(world: World) -> datetime:
    """When what was just put is old enough."""
    return now() + timedelta(seconds=world.settings.blob_orphan_seconds + 1)


def test_what_has_no_row_is_removed_once_it_is_old(
    world: World, root: Path, collector: BlobCollector
) -> None:
    named = _put(root, has_row=True, database=world.database)
    orphans = _put(root, has_row=False, database=world.database)
    half = orphans[0].with_name(f"{new_id().hex}.part-{new_id().hex}")
    half.write_bytes(b"half")

    assert collector.collect(now()) == 0, "an upload may be under way"
    assert collector.collect(_after(world)) == 3
    assert all(path.exists() for path in named)
    assert not any(path.exists() for path in (*orphans, half))
    assert collector.collect(_after(world)) == 0


def test_it_looks_again_after_an_outage(world: World) -> None:
    class Flaky:
        looks = 0

        def older_than(self, _moment: datetime) -> Iterator[str]:
            self.looks += 1
            raise BlobsUnavailable("away")

    blobs: Any = Flaky()
    settings = world.settings
    object.__setattr__(settings, "blob_collect_seconds", 0.01)
    stop = threading.Event()
    thread = threading.Thread(
        target=BlobCollector(settings, world.database, blobs).run, args=(stop,)
    )
    thread.start()
    wait_until(lambda: blobs.looks > 2, description="it looks again and again")
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_old_files_are_told_by_their_time(root: Path) -> None:
    root.mkdir(parents=True)
    for name, seconds in (("old", 1_000), ("new", 2_000)):
        (root / name).write_bytes(b"")
        os.utime(root / name, (seconds, seconds))
    assert list(FilesystemBlobs(root).older_than(datetime.fromtimestamp(1_500, UTC))) == ["old"]
