"""Effect: the images of what is sent, fetched and made as small as the provider wants them.

Only what is sent is fetched, from the newest message back, so that what a request cannot
hold is left out at its old end.  What cannot be shown is said in words in its place.
"""

from __future__ import annotations

import re
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import IO, Final
from uuid import UUID

import structlog

from common.blobs.store import BlobMissing, BlobStore
from common.domain.errors import BlobsUnavailable
from common.domain.image import Image
from common.images.workshop import Busy, NotTaken, Workshop
from common.storage import images
from common.storage.engine import Database
from worker.llm.driver import (
    FailureReason,
    ImageLimits,
    InlineImage,
    LinkedImage,
    LLMFailure,
    ModelMessage,
    Stop,
)
from worker.turn.context_window import Entry, EntryImage, UploadedImage
from worker.turn.conversation import noted

_log = structlog.get_logger()

_DELETED: Final = "[an image that was deleted: {}]"
_UNREADABLE: Final = "[an image that cannot be read: {}]"
_LEFT_OUT: Final = "[an earlier image that is left out here: {}]"
_UNNAMED: Final = "no name"
# How long the store is waited for before the step fails.
_PAUSES_SECONDS: Final = (0.2, 1.0)
# Where there is none, an image stands upright and tells nothing of its place.
_EXIF: Final = re.compile(rb"Exif\0\0|eXIf|EXIF")

# The images of an organization by id, asked for in one statement.
Find = Callable[[Sequence[UUID]], Mapping[UUID, Image]]


class _Shelf:
    """Images as they were last sent, the least lately used ones dropped; thread-safe."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._guard = threading.Lock()
        self._kept: OrderedDict[tuple[str, ImageLimits], InlineImage] = OrderedDict()
        self._bytes = 0

    def find(self, digest: str, limits: ImageLimits) -> InlineImage | None:
        with self._guard:
            found = self._kept.get((digest, limits))
            if found is not None:
                self._kept.move_to_end((digest, limits))
            return found

    def keep(self, digest: str, limits: ImageLimits, image: InlineImage) -> None:
        with self._guard:
            if (digest, limits) not in self._kept:
                self._kept[digest, limits] = image
                self._bytes += len(image.data)
            while self._bytes > self._most_bytes:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= len(dropped.data)


class Pictures:
    """Of one worker process; may be shared between threads."""

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        workshop: Workshop,
        *,
        directory: Path,
        kept_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._workshop = workshop
        self._directory = directory
        self._shelf = _Shelf(kept_bytes)

    def find(self, organization_id: UUID, image_ids: Sequence[UUID]) -> dict[UUID, Image]:
        """Those of the images that there are; one statement."""
        with self._database.of(organization_id).reading() as tx:
            found = images.find_all(tx, organization_id, image_ids)
        return {image.id: image for image in found}

    def shown(
        self, entries: Sequence[Entry], limits: ImageLimits, *, find: Find, stop: Stop
    ) -> tuple[ModelMessage, ...]:
        """The messages with their images, in the same order.

        Raises:
            LLMFailure: DEPENDENCY_UNAVAILABLE, the images cannot be had.
        """
        wanted = {
            each.image_id
            for entry in entries
            for each in entry.images
            if isinstance(each, UploadedImage)
        }
        known = find(sorted(wanted)) if wanted else {}
        request = _Request(limits)
        shown = [self._message(entry, known, request, stop) for entry in reversed(entries)]
        return tuple(reversed(shown))

    def _message(
        self, entry: Entry, known: Mapping[UUID, Image], request: _Request, stop: Stop
    ) -> ModelMessage:
        if not entry.images:
            return entry.message
        sent: list[InlineImage | LinkedImage] = []
        notes: list[str] = []
        for image in entry.images:
            name = _name_of(image, known)
            if not request.has_room:
                notes.append(_LEFT_OUT.format(name))
                continue
            found = self._find(image, known, request.limits, stop)
            if isinstance(found, str):
                notes.append(found.format(name))
            elif request.takes(found):
                sent.append(found)
            else:
                notes.append(_LEFT_OUT.format(name))
        message = noted(entry.message, notes) if notes else entry.message
        return replace(message, images=tuple(sent))

    def _find(
        self, image: EntryImage, known: Mapping[UUID, Image], limits: ImageLimits, stop: Stop
    ) -> InlineImage | LinkedImage | str:
        """The image as it is sent, or what is said in its place."""
        match image:
            case LinkedImage():
                return image
            case InlineImage():
                digest = sha256(image.data).hexdigest()
                return self._fitted(digest, limits, lambda: self._fit_inline(image, limits))
            case UploadedImage(image_id):
                uploaded = known.get(image_id)
                if uploaded is None:
                    return _DELETED
                return self._fitted(
                    uploaded.digest, limits, lambda: self._fit_uploaded(uploaded, limits, stop)
                )

    def _fitted(
        self, digest: str, limits: ImageLimits, make: Callable[[], InlineImage]
    ) -> InlineImage | str:
        found = self._shelf.find(digest, limits)
        if found is not None:
            return found
        try:
            made = make()
        except BlobMissing:
            return _DELETED
        except NotTaken as refused:
            _log.warning("image_not_read", why=refused.why)
            return _UNREADABLE
        except Busy as busy:
            raise _unavailable("too many images are being looked into") from busy
        self._shelf.keep(digest, limits, made)
        return made

    def _fit_inline(self, image: InlineImage, limits: ImageLimits) -> InlineImage:
        return self._fit([image.data], limits)

    def _fit_uploaded(self, image: Image, limits: ImageLimits, stop: Stop) -> InlineImage:
        pieces = self._fetched(images.blob_key(image.organization_id, image.blob_id), stop)
        picture = image.picture
        is_small = max(picture.width, picture.height) <= limits.side
        if is_small and image.size_bytes <= limits.image_bytes:
            data = b"".join(pieces)
            if not _EXIF.search(data):
                return InlineImage(picture.media_type, data)
            pieces = iter((data,))
        return self._fit(pieces, limits)

    def _fit(self, pieces: Iterable[bytes], limits: ImageLimits) -> InlineImage:
        """Only as many files are on the disk as there are places."""
        with self._workshop.place() as place, self._temporary() as file:
            for piece in pieces:
                with _disk():
                    file.write(piece)
            fitted = place.fit(file, max_side=limits.side, max_bytes=limits.image_bytes)
        return InlineImage(fitted.media_type, fitted.data)

    @contextmanager
    def _temporary(self) -> Iterator[IO[bytes]]:
        with _disk():
            self._directory.mkdir(parents=True, exist_ok=True)
            file = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115 - closed below
        with file:
            yield file

    def _fetched(self, key: str, stop: Stop) -> Iterator[bytes]:
        """The blob in pieces, going on where the store went away for a moment."""
        at = 0
        for pause in (*_PAUSES_SECONDS, None):
            try:
                for piece in self._blobs.read(key, at):
                    at += len(piece)
                    yield piece
            except BlobsUnavailable as failure:
                if pause is None or stop.wait(pause):
                    raise _unavailable("images cannot be read just now") from failure
            else:
                return


@dataclass(slots=True)
class _Request:
    """What one request may still take."""

    limits: ImageLimits
    images: int = 0
    image_bytes: int = 0

    @property
    def has_room(self) -> bool:
        return self.images < self.limits.images and self.image_bytes < self.limits.request_bytes

    def takes(self, image: InlineImage | LinkedImage) -> bool:
        size = len(image.data) if isinstance(image, InlineImage) else 0
        if self.image_bytes + size > self.limits.request_bytes:
            return False
        self.images += 1
        self.image_bytes += size
        return True


def _name_of(image: EntryImage, known: Mapping[UUID, Image]) -> str:
    if not isinstance(image, UploadedImage):
        return _UNNAMED
    uploaded = known.get(image.image_id)
    return image.filename or (_UNNAMED if uploaded is None else uploaded.filename)


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        raise _unavailable("there is no room for images") from failure


def _unavailable(detail: str) -> LLMFailure:
    return LLMFailure(FailureReason.DEPENDENCY_UNAVAILABLE, detail)
