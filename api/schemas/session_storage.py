"""What a session keeps by name, on the wire (contract 3.10)."""

from __future__ import annotations

import re
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load

from api.schemas.fields import Object, unacceptable
from api.schemas.shared import Body
from common.domain.session_storage import (
    NAME_FORM,
    SESSION_SECRETS,
    VALUE_BYTES,
    SecretName,
    StoredValue,
)
from common.event_codec import show_time

_NAME: Final = re.compile(NAME_FORM)


class SecretsSchema(Body):
    """Body of PUT …/storage/secrets; loads as values by name."""

    secrets = Object(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> dict[str, str]:
        """Check names and values; a message never quotes a value."""
        given: dict[str, Any] = data["secrets"]
        for name, value in given.items():
            if not isinstance(value, str):
                raise ValidationError({"secrets": {name: ["Must be a string"]}})
        for name, value in given.items():
            if not _NAME.fullmatch(name):
                problem = "A name must be letters, digits and _, not begin with a digit"
                raise ValidationError({"secrets": unacceptable(problem).messages})
            if len(value.encode()) > VALUE_BYTES:
                problem = f"Must not be longer than {VALUE_BYTES} bytes"
                raise ValidationError({"secrets": {name: unacceptable(problem).messages}})
        if len(given) > SESSION_SECRETS:
            problem = f"Must not be more than {SESSION_SECRETS}"
            raise ValidationError({"secrets": unacceptable(problem).messages})
        return given


class CountSchema(Schema):
    """How many were stored."""

    count = fields.Integer(required=True)


class StoredValueSchema(Schema):
    """A value that an agent keeps."""

    key = fields.String(required=True)
    value = fields.String(required=True)
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)


class StoredValueListSchema(Schema):
    """All values, by key."""

    data = fields.List(fields.Nested(StoredValueSchema()), required=True)
    total = fields.Integer(required=True)


class SecretNameSchema(Schema):
    """That there is a secret of this name; its value is never shown."""

    name = fields.String(required=True)
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)


class SecretNameListSchema(Schema):
    """All secrets, by name."""

    data = fields.List(fields.Nested(SecretNameSchema()), required=True)
    total = fields.Integer(required=True)


def show_value(stored: StoredValue) -> dict[str, Any]:
    """The value as responses carry it."""
    return {
        "key": stored.key,
        "value": stored.value,
        "created_at": show_time(stored.created_at),
        "updated_at": show_time(stored.updated_at),
    }


def show_secret_name(secret: SecretName) -> dict[str, Any]:
    """The secret's name as responses carry it."""
    return {
        "name": secret.name,
        "created_at": show_time(secret.created_at),
        "updated_at": show_time(secret.updated_at),
    }
