"""Files that come as multipart/form-data, on their way to a temporary file without a name.

Nothing of a file is held in memory but the piece that has just come, and nothing of it is left
when this process ends, however it ends.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Final

from flask import Request
from werkzeug.formparser import FormDataParser

from common.domain.errors import (
    BadRequest,
    BlobsUnavailable,
    DomainError,
    FieldProblem,
    TooLarge,
    Unprocessable,
    UnsupportedMedia,
)
from common.domain.image import HEAD_BYTES, media_type_of, tidy_filename
from common.domain.text import storable

PART: Final = "file"
# Also the parser's own buffer, which holds a piece of the file.
_FIELDS_BYTES: Final = 512 * 1024
_PARTS: Final = 20
# What the multipart form adds to the file.
FORM_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that has come as a whole.

    Attributes:
        media_type: by its first bytes.
        digest: SHA-256, hex.
        fields: the other parts of the form.
    """

    file: IO[bytes]
    filename: str
    media_type: str
    size_bytes: int
    digest: str
    fields: Mapping[str, str]


class _Arriving:
    """The file as it comes; refuses it as soon as it can be told that it is not taken."""

    def __init__(self, file: IO[bytes], limit_bytes: int) -> None:
        self.file = file
        self.size_bytes = 0
        self.digest = sha256()
        self._limit_bytes = limit_bytes
        self._head = b""

    def write(self, piece: bytes) -> int:
        """Called by the parser."""
        if len(self._head) < HEAD_BYTES:
            self._head += piece[: HEAD_BYTES - len(self._head)]
            if len(self._head) == HEAD_BYTES and media_type_of(self._head) is None:
                raise _not_an_image()
        self.size_bytes += len(piece)
        if self.size_bytes > self._limit_bytes:
            raise TooLarge(f"{PART}: Must not be larger than {self._limit_bytes} bytes")
        self.digest.update(piece)
        with _disk():
            return self.file.write(piece)

    def seek(self, place: int) -> int:
        """Called by the parser at the file's end."""
        return self.file.seek(place)

    def judged(self) -> str:
        """The media type, now that all of it is there."""
        if self.size_bytes == 0:
            raise _refused(Unprocessable, "Must not be empty")
        media_type = media_type_of(self._head)
        if media_type is None:
            raise _not_an_image()
        return media_type


@contextmanager
def received(request: Request, *, directory: Path, limit_bytes: int) -> Iterator[Upload]:
    """The one file of the form, gone when the block ends.

    Raises:
        BadRequest: no form, or none with one file in the part `file`.
        Unprocessable: the file is empty.
        UnsupportedMedia: it is no image that is taken.
        TooLarge: it is larger than `limit_bytes`.
        BlobsUnavailable: there is no room for it.
    """
    if request.mimetype != "multipart/form-data":
        raise _refused(BadRequest, "Must be sent as a part of multipart/form-data")
    if (request.content_length or 0) > limit_bytes + FORM_BYTES:
        raise TooLarge(f"The request body is larger than {limit_bytes + FORM_BYTES} bytes")
    request.max_content_length = limit_bytes + FORM_BYTES
    with _temporary(directory) as file:
        arriving = _Arriving(file, limit_bytes)
        filename, fields = _parsed(request, arriving)
        media_type = arriving.judged()
        with _disk():
            file.flush()
        yield Upload(
            file=file,
            filename=tidy_filename(filename, media_type),
            media_type=media_type,
            size_bytes=arriving.size_bytes,
            digest=arriving.digest.hexdigest(),
            fields=fields,
        )


def _parsed(request: Request, arriving: _Arriving) -> tuple[str | None, Mapping[str, str]]:
    """Read the form; returns the file's name and the other fields."""
    begun: list[str | None] = []

    def make(*_: object, filename: str | None = None, **__: object) -> _Arriving:
        if begun:
            raise _refused(BadRequest, "Must be one file")
        begun.append(filename)
        return arriving

    parser = FormDataParser(
        stream_factory=make,  # type: ignore[arg-type] # it needs write and seek alone
        max_form_memory_size=_FIELDS_BYTES,
        max_form_parts=_PARTS,
        silent=False,
    )
    try:
        _, form, files = parser.parse(
            request.stream, request.mimetype, request.content_length, request.mimetype_params
        )
    except ValueError as malformed:
        raise BadRequest("The request body is not valid multipart/form-data") from malformed
    if None in form or None in files:  # RFC 7578, 4.2
        raise BadRequest("A part of the form has no name")
    if PART not in files:
        raise _refused(BadRequest, "Is missing, or is no file")
    return files[PART].filename, {storable(name): storable(form[name]) for name in form}


@contextmanager
def _temporary(directory: Path) -> Iterator[IO[bytes]]:
    with _disk():
        directory.mkdir(parents=True, exist_ok=True)
        file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - closed below
    with file:
        yield file


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        raise BlobsUnavailable("There is no room for files just now; try again") from failure


def _not_an_image() -> DomainError:
    return _refused(UnsupportedMedia, "Must be a PNG, JPEG, GIF or WebP file")


def _refused(kind: type[DomainError], message: str) -> DomainError:
    return kind(f"{PART}: {message}", problems=(FieldProblem(PART, message),))
