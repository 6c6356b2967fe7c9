"""Pictures of pages by headless Chromium, taken once there is something to be seen.

It is told what to do by its own protocol over a pipe; what is waited for is part of the page.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops

from tests.conditions import wait_until

Json = dict[str, Any]

_COLOURS = 128
_MARGIN = 14
_READY_SECONDS = 90.0
# Where Chromium reads and writes with --remote-debugging-pipe.
_ITS_ENDS = (3, 4)
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--remote-debugging-pipe",
)


@dataclass
class Camera:
    """A browser with one page."""

    orders: int
    answers: int
    into: Path
    _page: str = ""
    _number: int = 0
    _unread: bytes = field(default=b"", repr=False)

    def take(self, name: str, url: str, size: tuple[int, int], *, shows: str) -> None:
        """Keep a picture of a page that shows what a CSS selector finds."""
        self._open()
        self._do("Emulation.setDeviceMetricsOverride", **_metrics(size))
        self._do("Page.navigate", url=url)
        there = f"document.querySelector({json.dumps(shows)}) !== null"
        wait_until(
            lambda: self._do("Runtime.evaluate", expression=there)["result"].get("value"),
            description=f"{url} shows {shows}",
            timeout_seconds=_READY_SECONDS,
        )
        taken = base64.b64decode(self._do("Page.captureScreenshot")["data"])
        with Image.open(BytesIO(taken)) as picture:
            # Few colours are enough for text and lines, and a quarter of the bytes.
            small = _without_empty_end(picture.convert("RGB")).quantize(_COLOURS)
            small.save(self.into / f"{name}.png", optimize=True)

    def _open(self) -> None:
        self._page = ""
        target = self._do("Target.createTarget", url="about:blank")["targetId"]
        self._page = self._do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def _do(self, method: str, **parameters: object) -> Json:
        self._number += 1
        order: Json = {"id": self._number, "method": method, "params": parameters}
        if self._page:
            order["sessionId"] = self._page
        os.write(self.orders, json.dumps(order).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                result: Json = answer["result"]
                return result

    def _next(self) -> Json:
        while b"\0" not in self._unread:
            read = os.read(self.answers, 65536)
            if not read:
                raise EOFError("Chromium has ended")
            self._unread += read
        message, _, self._unread = self._unread.partition(b"\0")
        told: Json = json.loads(message)
        return told


@contextmanager
def opened(chromium: str, into: Path) -> Iterator[Camera]:
    """A browser for a while."""
    (its_in, orders), (answers, its_out) = os.pipe(), os.pipe()
    # Out of the way of the two numbers that it wants.
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 100) for end in (its_in, its_out)]

    def hand_over() -> None:
        for end, wanted in zip(ends, _ITS_ENDS, strict=True):
            os.dup2(end, wanted)

    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        subprocess.Popen(
            [chromium, *_OPTIONS, f"--user-data-dir={profile}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=hand_over,  # noqa: PLW1509 - before any thread of ours
            pass_fds=_ITS_ENDS,
        ) as process,
    ):
        try:
            for end in (its_in, its_out, *ends):
                os.close(end)
            yield Camera(orders, answers, into)
        finally:
            process.kill()
            os.close(orders)
            os.close(answers)


def _metrics(size: tuple[int, int]) -> Json:
    return {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}


def _without_empty_end(picture: Image.Image) -> Image.Image:
    """Cut off what is below the last thing to be seen."""
    background = Image.new("RGB", picture.size, picture.getpixel((0, picture.height - 1)))
    seen = ImageChops.difference(picture, background).getbbox()
    bottom = picture.height if seen is None else min(picture.height, seen[3] + _MARGIN)
    return picture.crop((0, 0, picture.width, bottom))
