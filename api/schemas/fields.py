"""Fields that take what JSON and query strings say at their word.

marshmallow's own ones are made for forms: they read "5" and true as numbers.
A message of type `Unacceptable` makes the answer 422 instead of 400 (contract 1.6).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson
from marshmallow import ValidationError, fields

from common.domain.errors import InvalidId
from common.domain.ids import Kind, parse_id

METADATA_BYTES: Final = 64 * 1024
_DIGITS: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+ -]\d\d:\d\d)?", re.ASCII
)
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


class Unacceptable(str):
    """A problem with a value that is well-formed and still not acceptable."""

    __slots__ = ()


def unacceptable(message: str) -> ValidationError:
    """The error to raise for a 422."""
    return ValidationError(Unacceptable(message))


class Integer(fields.Integer):
    """A JSON number without a fraction."""

    def _validated(self, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError("Must be an integer")
        return value


class Number(fields.Float):
    """A JSON number."""

    def _validated(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("Must be a number")
        return float(value)


class Boolean(fields.Boolean):
    """JSON's true or false."""

    def _deserialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002 - marshmallow's signature
        data: Mapping[str, Any] | None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Must be true or false")
        return value


class Text(fields.String):
    """A string of a bounded size."""

    default_error_messages = {"invalid": "Must be a string"}  # noqa: RUF012 - as the base declares it

    def __init__(self, *, max_bytes: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._max_bytes = max_bytes

    def _deserialize(
        self,
        value: Any,
        attr: str | None,
        data: Mapping[str, Any] | None,
        **kwargs: Any,
    ) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if self._max_bytes is not None and len(text.encode()) > self._max_bytes:
            raise ValidationError(f"Must not be longer than {self._max_bytes} bytes")
        return text


class Object(fields.Dict):
    """A JSON object, kept as it is."""

    default_error_messages = {"invalid": "Must be an object"}  # noqa: RUF012 - as the base declares it


class Metadata(Object):
    """What a caller attaches for itself: kept as it is, and of bounded size."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=_check_metadata, **kwargs)


def _check_metadata(value: object) -> None:
    if len(orjson.dumps(value)) > METADATA_BYTES:
        raise ValidationError(f"Must not be larger than {METADATA_BYTES} bytes")


class Id(fields.Field[UUID]):
    """An id in any accepted spelling; loads as its UUID."""

    def __init__(self, kind: Kind, **kwargs: Any) -> None:
        super().__init__(metadata={"type": "string"}, **kwargs)
        self._kind = kind

    def _deserialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002 - marshmallow's signature
        data: Mapping[str, Any] | None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> UUID:
        if not isinstance(value, str):
            raise ValidationError("Must be a string")
        try:
            return parse_id(self._kind, value)
        except InvalidId as malformed:
            raise ValidationError(malformed.message) from malformed


class QueryInteger(fields.Integer):
    """A query parameter that is a whole number."""

    def _validated(self, value: Any) -> int:
        if not _DIGITS.fullmatch(str(value)):
            raise ValidationError("Must be an integer")
        return int(value)


class QueryBoolean(fields.Boolean):
    """A query parameter that is `true` or `false`."""

    def _deserialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002 - marshmallow's signature
        data: Mapping[str, Any] | None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> bool:
        found = _BOOLEANS.get(str(value).lower())
        if found is None:
            raise ValidationError("Must be true or false")
        return found


class QueryList(fields.List[str]):
    """Repeated keys and comma lists alike; loads as a tuple without repeats."""

    def __init__(
        self, *, at_most: int, check: Callable[[str], bool] | None = None, **kw: Any
    ) -> None:
        super().__init__(fields.String(), **kw)
        self._at_most = at_most
        self._check = check

    def _deserialize(
        self,
        value: Any,
        attr: str | None,
        data: Mapping[str, Any] | None,
        **kwargs: Any,
    ) -> Any:
        given = super()._deserialize(value, attr, data, **kwargs)
        parts = [part.strip() for text in given for part in str(text).split(",")]
        wanted = tuple(dict.fromkeys(part for part in parts if part))
        if len(wanted) > self._at_most:
            raise ValidationError(f"Must not name more than {self._at_most}")
        if self._check is not None and not all(self._check(part) for part in wanted):
            raise ValidationError("Names something unknown")
        return wanted


class Timestamp(fields.Field[datetime]):
    """An RFC 3339 time; one without an offset is UTC.  Loads as aware UTC."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(metadata={"type": "string", "format": "date-time"}, **kwargs)

    def _deserialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002 - marshmallow's signature
        data: Mapping[str, Any] | None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> datetime:
        text = str(value).strip()
        if not _RFC3339.fullmatch(text):
            raise ValidationError("Must be an RFC 3339 time")
        # An offset's plus sign that was not encoded arrives as a space.
        text = re.sub(r" (\d\d:\d\d)$", r"+\1", text) if text.count(":") > 2 else text  # noqa: PLR2004
        try:
            moment = datetime.fromisoformat(text.upper())
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return aware.astimezone(UTC)
        except (ValueError, OverflowError) as wrong:
            raise ValidationError("Must be an RFC 3339 time") from wrong
