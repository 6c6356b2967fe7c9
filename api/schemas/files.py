"""Files on the wire: the bodies that come in, the objects that go out (contract 3.10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from api.schemas.fields import Boolean, QueryBoolean, Text
from api.schemas.shared import Body
from common.domain.file import File, FileEntry, decoded, file_path, shown
from common.domain.file_pattern import PathGlob, Pattern
from common.event_codec import show_time

Json = dict[str, Any]

_ENCODINGS: Final = ("text", "base64")


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file or, without content, a directory to make."""

    content: bytes | None
    is_readonly: bool


@dataclass(frozen=True, slots=True)
class FileContent:
    """What a file is to hold; `is_readonly` None leaves that as it is."""

    content: bytes
    is_readonly: bool | None


@dataclass(frozen=True, slots=True)
class Transfer:
    """From where to where."""

    path: str
    to: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for, and in which files."""

    pattern: Pattern
    glob: PathGlob | None


class NewFileSchema(Body):
    """Body of POST …/fs/{path}."""

    content = Text(allow_none=True, load_default=None)
    encoding = Text(allow_none=True, load_default=None, validate=validate.OneOf(_ENCODINGS))
    is_directory = Boolean(allow_none=True, load_default=False)
    is_readonly = Boolean(allow_none=True, load_default=False)

    @validates_schema
    def check_directory(self, data: Json, **_: object) -> None:
        """A directory has no content and cannot be read-only."""
        for name in ("content", "is_readonly"):
            if data["is_directory"] and data[name]:
                raise ValidationError("A directory has none", name)

    @post_load
    def make(self, data: Json, **_: object) -> NewFile:
        """Build the command."""
        if data["is_directory"]:
            return NewFile(None, is_readonly=False)
        content = decoded(data["content"] or "", data["encoding"] or "text")
        return NewFile(content, is_readonly=bool(data["is_readonly"]))


class FileContentSchema(Body):
    """Body of PUT …/fs/{path}."""

    content = Text(required=True)
    encoding = Text(allow_none=True, load_default=None, validate=validate.OneOf(_ENCODINGS))
    is_readonly = Boolean(allow_none=True, load_default=None)

    @post_load
    def make(self, data: Json, **_: object) -> FileContent:
        """Build the command."""
        content = decoded(data["content"], data["encoding"] or "text")
        return FileContent(content, data["is_readonly"])


class StatSchema(Body):
    """Body of POST …/fs/_/stat; loads as the path."""

    path = Text(required=True)

    @post_load
    def make(self, data: Json, **_: object) -> str:
        """Check the path."""
        return file_path(data["path"])


class TransferSchema(Body):
    """Body of POST …/fs/_/move and …/fs/_/copy."""

    src_path = Text(required=True)
    dst_path = Text(required=True)

    @post_load
    def make(self, data: Json, **_: object) -> Transfer:
        """Check the paths."""
        return Transfer(
            file_path(data["src_path"], field="src_path"),
            file_path(data["dst_path"], field="dst_path"),
        )


class GrepSchema(Body):
    """Body of POST …/fs/_/grep."""

    pattern = Text(required=True, validate=validate.Length(min=1))
    path_pattern = Text(allow_none=True, load_default=None)

    @post_load
    def make(self, data: Json, **_: object) -> Wanted:
        """Compile what is looked for."""
        glob = PathGlob(data["path_pattern"]) if data["path_pattern"] else None
        return Wanted(Pattern(data["pattern"]), glob)


class RecursiveQuery(Schema):
    """Query of listings and deletions."""

    recursive = QueryBoolean(load_default=False)


class FileStatSchema(Schema):
    """What there is to know of a file or directory but its place."""

    path = fields.String(required=True)
    name = fields.String(required=True)
    is_directory = fields.Boolean(required=True)
    is_readonly = fields.Boolean(required=True)
    size_bytes = fields.Integer(required=True)
    content_hash = fields.String(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)


class FileInfoSchema(FileStatSchema):
    """A file or directory in a listing."""

    id = fields.String(required=True)
    session_id = fields.String(required=True)


class FileInfoListSchema(Schema):
    """What a directory holds, by path."""

    data = fields.List(fields.Nested(FileInfoSchema()), required=True)
    total = fields.Integer(required=True)


class SessionFileSchema(FileInfoSchema):
    """A file with its content; a directory has none."""

    content = fields.String(required=True, allow_none=True)
    encoding = fields.String(
        required=True, allow_none=True, validate=validate.OneOf([*_ENCODINGS, None])
    )


class FileOrListSchema(Schema):
    """A file as SessionFile is, or of a directory what it holds as in FileInfoList."""

    data = fields.List(fields.Nested(FileInfoSchema()))
    total = fields.Integer()
    id = fields.String()
    session_id = fields.String()
    path = fields.String()
    name = fields.String()
    is_directory = fields.Boolean()
    is_readonly = fields.Boolean()
    size_bytes = fields.Integer()
    content_hash = fields.String(allow_none=True)
    content = fields.String(allow_none=True)
    encoding = fields.String(allow_none=True)
    created_at = fields.DateTime()
    updated_at = fields.DateTime()


class DeletedSchema(Schema):
    """That a file is gone."""

    deleted = fields.Boolean(required=True)


class GrepMatchSchema(Schema):
    """A line that was found; long ones are cut."""

    path = fields.String(required=True)
    line_number = fields.Integer(required=True)
    line = fields.String(required=True)


class GrepResultSchema(Schema):
    """The lines of one file."""

    path = fields.String(required=True)
    matches = fields.List(fields.Nested(GrepMatchSchema()), required=True)


class GrepResultListSchema(Schema):
    """By path; `truncated` when there may be more than was looked for."""

    data = fields.List(fields.Nested(GrepResultSchema()), required=True)
    total = fields.Integer(required=True)
    truncated = fields.Boolean(required=True)


def show_stat(entry: FileEntry) -> Json:
    """The entry without its place."""
    return {
        "path": entry.path,
        "name": entry.name,
        "is_directory": entry.is_directory,
        "is_readonly": entry.is_readonly,
        "size_bytes": entry.size_bytes,
        "content_hash": entry.content_hash,
        "created_at": show_time(entry.created_at),
        "updated_at": show_time(entry.updated_at),
    }


def show_info(entry: FileEntry, session_id: str) -> Json:
    """The entry in a listing; `session_id` as it is shown, never null."""
    return {"id": str(entry.id), "session_id": session_id, **show_stat(entry)}


def show_file(file: File, session_id: str) -> Json:
    """The entry with its content."""
    content, encoding = (None, None) if file.content is None else shown(file.content)
    return {**show_info(file.entry, session_id), "content": content, "encoding": encoding}
