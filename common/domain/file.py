"""Files of a workspace: the rules of paths, and how content is shown (contract 3.10).  Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal
from uuid import UUID

from common.domain.errors import BadRequest, FieldProblem, TooLarge
from common.domain.text import is_storable

PATH_BYTES: Final = 1024
FILE_BYTES: Final = 10 * 1024 * 1024
# Of one workspace; directories count as files.
WORKSPACE_FILES: Final = 10_000
WORKSPACE_BYTES: Final = 512 * 1024 * 1024

ROOT: Final = "/"
_SNIFFED_BYTES: Final = 8 * 1024

Encoding = Literal["text", "base64"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """A file or a directory without its content.

    Attributes:
        content_hash: `sha256:<hex>`, None for a directory.
    """

    id: UUID
    path: str
    is_directory: bool
    is_readonly: bool
    size_bytes: int
    content_hash: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def name(self) -> str:
        return name_of(self.path)


@dataclass(frozen=True, slots=True)
class File:
    """An entry with its content, which a directory does not have."""

    entry: FileEntry
    content: bytes | None


def file_path(text: str, *, field: str = "path") -> str:
    """A path as it is stored; one slash at its end is let go.

    Raises:
        BadRequest: it is no absolute path below the root, or reserved.
    """
    path = text[:-1] if text.endswith("/") and text not in (ROOT, "//") else text
    fault = _fault_of(path)
    if fault is not None:
        raise BadRequest(f"{field}: {fault}", problems=(FieldProblem(field, fault),))
    return path


def _fault_of(path: str) -> str | None:
    if not is_storable(path):
        return "Has a NUL character or half of a surrogate pair"
    if len(path.encode()) > PATH_BYTES:
        return f"Must not be longer than {PATH_BYTES} bytes"
    if not path.startswith("/"):
        return "Must begin with /"
    segments = path[1:].split("/")
    if path != ROOT and "" in segments:
        return "Must not have an empty segment (//)"
    if "." in segments or ".." in segments:
        return "Must not have a segment . or .."
    if segments[0].startswith("_"):
        return "Names that begin with _ are reserved at the root"
    return None


def parent_of(path: str) -> str:
    """The directory that holds it; the root holds itself."""
    return path.rpartition("/")[0] or ROOT


def name_of(path: str) -> str:
    """The last segment; the root is called `/`."""
    return path.rpartition("/")[2] or ROOT


def ancestors_of(path: str) -> list[str]:
    """The directories above it without the root, the outermost first."""
    found = []
    while (path := parent_of(path)) != ROOT:
        found.append(path)
    return found[::-1]


def is_below(path: str, directory: str) -> bool:
    """Whether it is inside the directory, at any depth."""
    return path != directory and (directory == ROOT or path.startswith(f"{directory}/"))


def clashes(paths: Sequence[str]) -> dict[int, str]:
    """Which of these files cannot be there together, by place in the list, and why."""
    first = {path: place for place, path in reversed(list(enumerate(paths)))}
    found: dict[int, str] = {}
    for place, path in enumerate(paths):
        above = next((each for each in ancestors_of(path) if each in first), None)
        if above is not None:
            found[place] = f"Is below {above}, which is a file"
        elif first[path] < place:
            found[place] = "Is given twice"
    return found


def decoded(content: str, encoding: str, *, field: str = "content") -> bytes:
    """The bytes that a caller means.

    Raises:
        BadRequest: it is not the base64 that it should be.
        TooLarge: more bytes than a file may have.
    """
    if encoding == "base64":
        try:
            raw = base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            problem = FieldProblem(field, "Is not valid base64")
            raise BadRequest(f"{field}: {problem.message}", problems=(problem,)) from None
    else:
        raw = content.encode()
    if len(raw) > FILE_BYTES:
        raise TooLarge(f"A file must not be larger than {FILE_BYTES} bytes")
    return raw


def as_text(content: bytes) -> str | None:
    """The content as text, None when it is binary: a NUL near its start, or not UTF-8."""
    if b"\0" in content[:_SNIFFED_BYTES]:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def shown(content: bytes) -> tuple[str, Encoding]:
    """The content as responses carry it, and in which encoding."""
    text = as_text(content)
    if text is None:
        return base64.b64encode(content).decode(), "base64"
    return text, "text"


def hash_of(content: bytes) -> str:
    """What tells one content from another: `sha256:<hex>`."""
    return f"sha256:{sha256(content).hexdigest()}"
