"""Which images a request is given, and what is said in place of the others."""

import io
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from PIL import ExifTags
from PIL import Image as PillowImage

from common.blobs.store import BlobMissing
from common.domain.errors import BlobsUnavailable
from common.domain.image import Image, Picture
from common.images.workshop import Workshop
from common.storage import images
from common.storage.engine import Database
from tests.corpus import noise_png, saved, two_halves
from worker.llm.driver import (
    FailureReason,
    ImageLimits,
    InlineImage,
    LinkedImage,
    LLMFailure,
    ModelMessage,
)
from worker.turn.context_window import Entry, EntryImage, UploadedImage, entry_of
from worker.turn.pictures import Pictures

_ORGANIZATION = UUID(int=1)
_SMALL = noise_png(16)
_LARGE = noise_png(96)
_LINK = LinkedImage("https://example.org/a.png")


class _Store:
    """Blobs in memory; counts what is read."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.read_keys: list[str] = []
        self.failures = 0
        self.breaks = 0

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        assert end is None
        self.read_keys.append(key)
        if self.failures:
            self.failures -= 1
            raise BlobsUnavailable("away")
        if key not in self.kept:
            raise BlobMissing(key)
        return self._pieces(self.kept[key][start:])

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        yield data[:100]
        if self.breaks:
            self.breaks -= 1
            raise BlobsUnavailable("away")
        yield data[100:]


class _World:
    def __init__(self, **options: Any) -> None:
        self.store = _Store()
        workshop = Workshop(
            processes=1, waiting=8, cpu_seconds=20, patience_seconds=60, max_pixels=10_000_000
        )
        self.pictures = Pictures(
            cast(Database, None),
            cast(Any, self.store),
            workshop,
            directory=Path(tempfile.gettempdir()),
            **options,
        )
        self.known: dict[UUID, Image] = {}
        self.looked = 0

    def upload(self, data: bytes = _SMALL, *, side: int = 16) -> UploadedImage:
        number = len(self.known) + 1
        image = Image(
            id=UUID(int=number),
            organization_id=_ORGANIZATION,
            blob_id=UUID(int=1000 + number),
            session_id=None,
            filename=f"{number}.png",
            size_bytes=len(data),
            digest=f"digest of {data[:64]!r}{len(data)}",
            picture=Picture("image/png", side, side),
            created_at=datetime(2026, 1, 15, tzinfo=UTC),
        )
        self.known[image.id] = image
        self.store.kept[images.blob_key(_ORGANIZATION, image.blob_id)] = data
        return UploadedImage(image.id, None)

    def find(self, image_ids: Sequence[UUID]) -> Mapping[UUID, Image]:
        self.looked += 1
        return {each: self.known[each] for each in image_ids if each in self.known}

    def shown(
        self, *entries: Entry, stop: threading.Event | None = None, **limits: int
    ) -> tuple[ModelMessage, ...]:
        return self.pictures.shown(
            entries,
            ImageLimits(**limits),
            find=self.find,
            stop=stop or threading.Event(),
        )


def _entry(*pictures: EntryImage, words: str = "Look") -> Entry:
    return entry_of(1, ModelMessage("user", words), pictures)


def test_messages_without_images_cost_nothing() -> None:
    world = _World()
    plain = ModelMessage("assistant", "Hello")
    assert world.shown(entry_of(1, plain)) == (plain,)
    assert (world.looked, world.store.read_keys) == (0, [])


def test_images_keep_their_order_and_cost_one_look_up() -> None:
    world = _World()
    first, second = world.upload(), world.upload(noise_png(17), side=17)
    shown = world.shown(_entry(first, _LINK), _entry(second))
    assert [message.images for message in shown] == [
        (InlineImage("image/png", _SMALL), _LINK),
        (InlineImage("image/png", world.store.kept[world.store.read_keys[0]]),),
    ]
    assert world.looked == 1


def test_what_was_shown_before_is_not_fetched_again_while_there_is_room() -> None:
    world = _World(kept_bytes=len(_SMALL) + 100)
    image = world.upload()
    for _ in range(3):
        world.shown(_entry(image))
    assert len(world.store.read_keys) == 1
    world.shown(_entry(world.upload(noise_png(17), side=17)))
    world.shown(_entry(image))
    assert len(world.store.read_keys) == 3, "the other one took its place"


def test_an_image_of_too_many_bytes_or_pixels_is_made_smaller() -> None:
    world = _World()
    image = world.upload(_LARGE, side=96)
    (message,) = world.shown(_entry(image), image_bytes=2_000)
    (sent,) = message.images
    assert isinstance(sent, InlineImage)
    assert len(sent.data) <= 2_000
    (message,) = world.shown(_entry(image), side=48)
    assert message.images != (sent,)


def test_of_more_images_than_a_request_takes_the_oldest_are_left_out() -> None:
    world = _World()
    entries = [_entry(world.upload(noise_png(side), side=side)) for side in (10, 11, 12)]
    shown = world.shown(*entries, images=2)
    assert [len(message.images) for message in shown] == [0, 1, 1]
    assert shown[0].text == "Look\n[an earlier image that is left out here: 1.png]"
    assert len(world.store.read_keys) == 2
    by_size = world.shown(*entries, request_bytes=len(noise_png(12)))
    assert [len(message.images) for message in by_size] == [0, 0, 1]


@pytest.mark.parametrize("how", ["row", "bytes"])
def test_a_deleted_image_becomes_a_note(how: str) -> None:
    world = _World()
    image = world.upload()
    if how == "row":
        world.known.clear()
    else:
        world.store.kept.clear()
    (message,) = world.shown(_entry(UploadedImage(image.image_id, "mine.png"), words=""))
    assert (message.images, message.text) == ((), "[an image that was deleted: mine.png]")


def _photo(**exif: object) -> bytes:
    told = PillowImage.Exif()
    for tag, value in exif.items():
        told[getattr(ExifTags.Base, tag)] = value
    return saved(two_halves(), "JPEG", exif=told.tobytes(), quality=95)


@pytest.mark.parametrize("exif", [{"Orientation": 6}, {"GPSInfo": {1: "N", 2: (47.0, 3.0, 1.0)}}])
def test_a_small_photo_is_sent_upright_and_without_its_place(exif: dict[str, Any]) -> None:
    world, photo = _World(), _photo(**exif, ImageDescription="somewhere")
    (message,) = world.shown(_entry(world.upload(photo, side=400)))
    (sent,) = message.images
    assert isinstance(sent, InlineImage)
    with PillowImage.open(io.BytesIO(sent.data)) as shown:
        assert shown.size == ((300, 400) if "Orientation" in exif else (400, 300))
        assert not shown.getexif()


def test_a_small_photo_that_tells_nothing_is_sent_as_it_is() -> None:
    world, photo = _World(), _photo(ImageDescription="somewhere", Orientation=1)
    (message,) = world.shown(_entry(world.upload(photo, side=400)))
    assert message.images == (InlineImage("image/jpeg", photo),)


def test_what_is_no_image_becomes_a_note() -> None:
    (message,) = _World().shown(_entry(InlineImage("image/png", b"rubbish")))
    assert message.images == ()
    assert "cannot be read" in message.text


def test_a_store_that_comes_back_is_waited_for() -> None:
    world = _World()
    image = world.upload()
    world.store.failures = 1
    world.store.breaks = 1
    (message,) = world.shown(_entry(image))
    assert message.images == (InlineImage("image/png", _SMALL),)


def test_a_store_that_stays_away_is_a_failure() -> None:
    world = _World()
    image = world.upload()
    world.store.failures = 10
    stop = threading.Event()
    stop.set()
    with pytest.raises(LLMFailure) as caught:
        world.shown(_entry(image), stop=stop)
    assert caught.value.reason is FailureReason.DEPENDENCY_UNAVAILABLE
    assert len(world.store.read_keys) == 1, "who is told to stop does not wait"
