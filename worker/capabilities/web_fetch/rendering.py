"""From the bytes of an answer to the text that the model is shown."""

from __future__ import annotations

import codecs
import html
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import structlog

from worker.capabilities.web_fetch import markdown

CONVERT_SECONDS: Final = 5.0
CONVERT_BYTES: Final = 512 * 1024

_TEXT_TYPES: Final = re.compile(
    r"text/.*|application/(.*\+)?(json|xml|yaml|javascript|ecmascript)"
    r"|application/(x-ndjson|ndjson|x-yaml|toml|sql|graphql|x-www-form-urlencoded|x-sh)"
    r"|image/svg\+xml"
)
_HTML_TYPES: Final = ("text/html", "application/xhtml+xml")
# What pages really use; Python knows "encodings" that are no such thing.
_CHARSETS: Final = re.compile(
    r"utf-?8|utf-?16(le|be)?|us-ascii|ascii|iso-?8859-?\d{1,2}|latin-?1|(windows-|cp)(125\d|874)"
    r"|koi8-?[ru]|shift[-_]jis|sjis|euc-?(jp|kr)|iso-2022-jp|gbk|gb2312|gb18030|big5|macintosh"
)
_META_CHARSET: Final = re.compile(rb"charset\s{0,4}=\s{0,4}[\"']?([A-Za-z0-9_-]{1,40})")
_SNIFFED_BYTES: Final = 1024
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Each is a process of its own; more at once would only make all of them late.
_CONVERTERS: Final = threading.BoundedSemaphore(4)

_log = structlog.get_logger()


def is_html(media_type: str) -> bool:
    return media_type in _HTML_TYPES


def is_text(media_type: str) -> bool | None:
    """Whether content of that type is shown; None when only its bytes can tell."""
    if media_type in ("", "application/octet-stream"):
        return None if media_type == "" else False
    return _TEXT_TYPES.fullmatch(media_type) is not None


def looks_like_text(body: bytes) -> bool:
    """Whether bytes of no declared type are text."""
    return b"\0" not in body[:_SNIFFED_BYTES]


def as_text(body: bytes, *, charset: str | None, media_type: str) -> str:
    """Decode; a mark at the beginning wins, then the header, then the page's own word."""
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body.decode(name, "replace")
    declared = charset
    if declared is None and is_html(media_type):
        found = _META_CHARSET.search(body[:_SNIFFED_BYTES])
        declared = found[1].decode("ascii") if found else None
    name = (declared or "utf-8").strip().strip("\"'").lower()
    if not _CHARSETS.fullmatch(name):
        name = "utf-8"
    try:
        return body.decode(name, "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


def converted(page: str, *, to: str, seconds_left: float) -> tuple[str, str]:
    """The page as `markdown` or `text`, and which of the two it became.

    A page that cannot be converted in time is shown as its bare text.
    """
    found = _in_child(page, to=to, seconds=min(CONVERT_SECONDS, seconds_left))
    if found is None:
        return bare_text(page), "text"
    return found, to


def bare_text(page: str) -> str:
    """HTML without its tags, in one pass whatever the page is like."""
    kept: list[str] = []
    skipped = ""
    for piece in page.split("<"):
        tag, _, text = piece.partition(">")
        name = tag.split(None, 1)[0].lower() if tag.strip() else ""
        if skipped:
            skipped = "" if name == f"/{skipped}" else skipped
        elif name in ("script", "style"):
            skipped = name
        if not skipped:
            # Before the first tag there is none to take off.
            kept.append(text if kept or page.startswith("<") else piece)
    lines = (line.strip() for line in html.unescape("\n".join(kept)).splitlines())
    return "\n".join(line for line in lines if line)


def _in_child(page: str, *, to: str, seconds: float) -> str | None:
    if seconds <= 0 or not _CONVERTERS.acquire(timeout=seconds):
        return None
    try:
        done = subprocess.run(  # noqa: S603 - our own file, no shell, nothing of the caller's
            [sys.executable, "-I", str(Path(markdown.__file__)), to],
            input=page.encode("utf-8", "replace")[:CONVERT_BYTES],
            capture_output=True,
            timeout=seconds,
            check=True,
            env={},
        )
    except (subprocess.SubprocessError, OSError) as failure:
        _log.warning("page_not_converted", error=type(failure).__name__)
        return None
    finally:
        _CONVERTERS.release()
    return done.stdout.decode("utf-8", "replace")
