"""Health on the wire, and the error envelope."""

from __future__ import annotations

from marshmallow import Schema, fields


class HealthSchema(Schema):
    """That the process answers."""

    status = fields.String(required=True)
    version = fields.String(required=True)
    auth_mode = fields.String(required=True)


class ReadinessSchema(Schema):
    """What the process depends on, each `up` or `down`."""

    status = fields.String(required=True)
    dependencies = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class ProblemSchema(Schema):
    """One offending place of a request."""

    field = fields.String(required=True)
    message = fields.String(required=True)


class ErrorSchema(Schema):
    """Every error looks like this."""

    error = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True)
    message = fields.String(required=True)
    title = fields.String(required=True)
    detail = fields.String(required=True)
    request_id = fields.String(required=True, allow_none=True)
    errors = fields.List(fields.Nested(ProblemSchema()))
    retry_after_seconds = fields.Integer()
