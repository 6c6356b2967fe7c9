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
    """The machine has more to do than it can; the image may well be a good one."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """An image that was made smaller."""

    media_type: str
    data: bytes


class Place:
    """The right to have one child at a time; good for as long as `Workshop.place` lasts."""

    def __init__(self, *, cpu_seconds: int, patience_seconds: float, max_pixels: int) -> None:
        self._cpu_seconds = str(cpu_seconds)
        self._patience_seconds = patience_seconds
        self._max_pixels = str(max_pixels)

    def examine(self, file: IO[bytes]) -> tuple[Picture, bytes]:
        """What the file is, and its thumbnail; empty when none can be made.

        Raises:
            NotTaken: it is no image that is taken.
            Busy: try again later.
        """
        said, rest = self._run("examine", self._max_pixels, file=file)
        second, _, thumbnail = rest.partition(b"\n")
        # Missing when the child was killed over the thumbnail.
        made = orjson.loads(second)["thumbnail_type"] if second else None
        if made is None:
            _log.warning("thumbnail_not_made", media_type=said["media_type"])
        return Picture(**said, thumbnail_type=made), thumbnail if made else b""

    def fit(self, file: IO[bytes], *, max_side: int, max_bytes: int) -> Fitted:
        """The image no larger than that, in pixels a side and in bytes.

        It stays as it is if it fits, stands upright, and does not tell where it was taken.

        Raises:
            NotTaken: it cannot be read.
            Busy: try again later.
        """
        limits = (str(max_side), str(max_bytes), self._max_pixels)
        said, encoded = self._run("fit", *limits, file=file)
        return Fitted(said["media_type"], encoded)

    def _run(self, task: str, *arguments: str, file: IO[bytes]) -> tuple[dict[str, Any], bytes]:
        """What the child says of the file, and the bytes that it sends after it."""
        file.flush()
        with subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", _PROGRAM, self._cpu_seconds, task, *arguments],
            stdin=file,  # it shares its position with us, so it goes to the beginning itself
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_SOURCE_TREE,
            # Nothing of ours: no settings, no keys.
            env={"PYTHONDONTWRITEBYTECODE": "1"},
        ) as child:
            output, was_in_time = self._output_of(child)
        first, _, rest = output.partition(b"\n")
        if not first and was_in_time:
            raise NotTaken("late", "Takes too long to be read")
        if not first:
            raise Busy
        said: dict[str, Any] = orjson.loads(first)
        if "refused" in said:
            raise NotTaken(said["refused"], said["message"])
        return said, rest

    def _output_of(self, child: subprocess.Popen[bytes]) -> tuple[bytes, bool]:
        """All that it has written, and whether it ended before we lost patience."""
        try:
            return child.communicate(timeout=self._patience_seconds)[0], True
        except subprocess.TimeoutExpired:
            child.kill()
            _log.warning("image_child_killed")
            return child.communicate()[0], False


class Workshop:
    """May be shared between threads."""

    def __init__(
        self,
        *,
        processes: int,
        waiting: int,
        cpu_seconds: int,
        patience_seconds: float,
        max_pixels: int,
    ) -> None:
        """At most `processes` children at once, each of so much processor time.

        At most `waiting` callers wait for one, for `patience_seconds`; as long again it may
        take until it has been given its processor time.
        """
        self._free = threading.BoundedSemaphore(processes)
        self._room = threading.BoundedSemaphore(processes + waiting)
        self._patience_seconds = patience_seconds
        self._place = Place(
            cpu_seconds=cpu_seconds, patience_seconds=patience_seconds, max_pixels=max_pixels
        )

    @contextmanager
    def place(self) -> Iterator[Place]:
        """One of the children's places, for as long as the block lasts.

        Raises:
            Busy: too many wait for one, or none has become free in time.
        """
        with _held(self._room, 0), _held(self._free, self._patience_seconds):
            yield self._place


@contextmanager
def _held(places: threading.Semaphore, timeout_seconds: float) -> Iterator[None]:
    if not places.acquire(timeout=timeout_seconds):
        raise Busy
    try:
        yield
    finally:
        places.release()


def open_workshop(settings: Settings, *, threads: int) -> Workshop:
    """The workshop of a process that has so many threads; half of them never wait for it."""
    processes = settings.image_processes
    return Workshop(
        processes=processes,
        waiting=max(threads // 2 - processes, 0),
        cpu_seconds=settings.image_cpu_seconds,
        # Behind one that takes as long as it may, on a machine that has other things to do.
        patience_seconds=settings.image_cpu_seconds * 2,
        max_pixels=settings.image_max_pixels,
    )
