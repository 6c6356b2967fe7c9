"""Have images looked into and made smaller: a bounded number of child processes, killed when late.

What a caller sends decides how long a decoder takes and how much memory it wants, so no
thread of ours does it (design 5).
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal

import orjson
import structlog

from common.domain.image import Picture
from common.settings import Settings

Refusal = Literal["format", "broken", "pixels", "polyglot", "late"]

_log = structlog.get_logger()
_PROGRAM: Final = "common.images.child"
# Where `common` is found, whether installed or a source tree.
_SOURCE_TREE: Final = str(Path(__file__).parents[2])


class NotTaken(Exception):
    """The image is refused.

    Attributes:
        why: late is one that could not be read in time.
        message: for a person, about the file: "Is cut off or damaged".
    """

    def __init__(self, why: Refusal, message: str) -> None:
        super().__init__(message)
        self.why = why
        self.message = message


class Busy(Exception):
    """All children have been busy for as long as one waits."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """An image that was made smaller."""

    media_type: str
    data: bytes


class Workshop:
    """May be shared between threads."""

    def __init__(
        self,
        *,
        processes: int,
        deadline_seconds: float,
        patience_seconds: float,
        max_pixels: int,
    ) -> None:
        """At most `processes` children at once; a caller waits `patience_seconds` for one."""
        self._free = threading.BoundedSemaphore(processes)
        self._deadline_seconds = deadline_seconds
        self._patience_seconds = patience_seconds
        self._max_pixels = str(max_pixels)

    def examine(self, file: IO[bytes]) -> tuple[Picture, bytes]:
        """What the file is, and its thumbnail; empty when none can be made.

        Raises:
            NotTaken: it is no image that is taken.
            Busy: try again later.
        """
        output = self._run("examine", self._max_pixels, file=file)
        first, _, rest = output.partition(b"\n")
        if not first:
            raise NotTaken("late", "Could not be read in time")
        said = orjson.loads(first)
        _raise_refusal(said)
        second, _, thumbnail = rest.partition(b"\n")
        # Missing when the child was killed over the thumbnail.
        made = orjson.loads(second)["thumbnail_type"] if second else None
        if made is None:
            _log.warning("thumbnail_not_made", media_type=said["media_type"])
        return Picture(**said, thumbnail_type=made), thumbnail if made else b""

    def fit(self, file: IO[bytes], *, max_side: int, max_bytes: int) -> Fitted:
        """The image no larger than that, in pixels a side and in bytes; as it is if it fits.

        Raises:
            NotTaken: it cannot be read.
            Busy: try again later.
        """
        output = self._run("fit", str(max_side), str(max_bytes), self._max_pixels, file=file)
        head, _, encoded = output.partition(b"\n")
        if not head:
            raise NotTaken("late", "Could not be read in time")
        said = orjson.loads(head)
        _raise_refusal(said)
        return Fitted(said["media_type"], encoded)

    def _run(self, *arguments: str, file: IO[bytes]) -> bytes:
        file.flush()
        with (
            self.place(),
            subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", _PROGRAM, *arguments],
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=_SOURCE_TREE,
                # Nothing of ours: no settings, no keys.
                env={"PYTHONDONTWRITEBYTECODE": "1"},
            ) as child,
        ):
            # The child shares the file's place with us, so it goes to the beginning itself.
            try:
                output, _ = child.communicate(timeout=self._deadline_seconds)
            except subprocess.TimeoutExpired:
                child.kill()
                output, _ = child.communicate()
                _log.warning("image_child_killed", task=arguments[0])
            return output

    @contextmanager
    def place(self) -> Iterator[None]:
        """One of the children's places, for as long as the block lasts.

        Raises:
            Busy: none has become free in time.
        """
        if not self._free.acquire(timeout=self._patience_seconds):
            raise Busy
        try:
            yield
        finally:
            self._free.release()


def _raise_refusal(said: dict[str, Any]) -> None:
    if "refused" in said:
        raise NotTaken(said["refused"], said["message"])


def open_workshop(settings: Settings) -> Workshop:
    """The workshop of a process."""
    return Workshop(
        processes=settings.image_processes,
        deadline_seconds=settings.image_deadline_seconds,
        # Behind one that takes as long as it may, and those before it.
        patience_seconds=settings.image_deadline_seconds * 2,
        max_pixels=settings.image_max_pixels,
    )
