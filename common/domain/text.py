"""Text that PostgreSQL can store and every client can show.

Design 3: at the driver and tool borders NUL and lone surrogates become U+FFFD
and a text is capped; requests that carry them are refused by the API instead.
"""

from __future__ import annotations

import re
from typing import Final

TEXT_LIMIT_BYTES: Final = 4 * 1024 * 1024
PREVIEW_CHARACTERS: Final = 200

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_HIGH_SURROGATES: Final = ("\ud800", "\udbff")


def is_storable(text: str) -> bool:
    """Whether the text has neither NUL nor a surrogate."""
    return _UNSTORABLE.search(text) is None


def storable(text: str) -> str:
    """The text with surrogate pairs joined and what cannot be stored as U+FFFD."""
    if is_storable(text):
        return text
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\x00", "�")


def capped(text: str, *, limit_bytes: int = TEXT_LIMIT_BYTES) -> str:
    """The longest prefix that fits, cut between code points."""
    if len(text) * 4 <= limit_bytes:
        return text
    raw = text.encode()
    if len(raw) <= limit_bytes:
        return text
    return raw[:limit_bytes].decode(errors="ignore")


def preview(text: str, *, characters: int = PREVIEW_CHARACTERS) -> str:
    """The start of a text, for lists."""
    return text if len(text) <= characters else text[: characters - 1] + "…"


class StorableStream:
    """Makes a chunked text storable: joins a pair that was split over two chunks.

    `feed` returns what may go out now, `close` what was held back; the whole
    never exceeds the limit, and what exceeds it is dropped.
    """

    def __init__(self, *, limit_bytes: int = TEXT_LIMIT_BYTES) -> None:
        self._held = ""
        self._left = limit_bytes

    def feed(self, chunk: str) -> str:
        text = self._held + chunk
        self._held = ""
        if text and _HIGH_SURROGATES[0] <= text[-1] <= _HIGH_SURROGATES[1]:
            self._held, text = text[-1], text[:-1]
        return self._allow(storable(text))

    def close(self) -> str:
        text, self._held = self._held, ""
        return self._allow(storable(text))

    def _allow(self, text: str) -> str:
        fitting = capped(text, limit_bytes=self._left)
        # Nothing may follow a cut, or the text would have a hole in it.
        self._left = self._left - len(fitting.encode()) if fitting == text else 0
        return fitting
