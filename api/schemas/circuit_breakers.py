"""Circuit breakers of providers on the wire (contract 3.13)."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, validate

from common.domain.provider_breaker import BreakerState, ProviderBreaker
from common.event_codec import show_optional_time

_STATES: Final = tuple(str(state) for state in BreakerState)


class CircuitBreakerSchema(Schema):
    """The breaker of a provider; `key` is the provider's id."""

    key = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(_STATES))
    failure_count = fields.Integer(required=True)
    success_count = fields.Integer(required=True)
    opened_at = fields.DateTime(required=True, allow_none=True)
    half_open_at = fields.DateTime(required=True, allow_none=True)
    last_failure_at = fields.DateTime(required=True, allow_none=True)
    open_until = fields.DateTime(required=True, allow_none=True)
    held_by_operator = fields.Boolean(required=True)
    updated_at = fields.DateTime(required=True, allow_none=True)


class CircuitBreakerListSchema(Schema):
    """One for each provider that the caller may use."""

    data = fields.List(fields.Nested(CircuitBreakerSchema()), required=True)
    total = fields.Integer(required=True)


def show_breaker(breaker: ProviderBreaker) -> dict[str, Any]:
    """A breaker as it goes out."""
    return {
        "key": breaker.provider_id,
        "state": str(breaker.state),
        "failure_count": breaker.failure_count,
        "success_count": breaker.success_count,
        "opened_at": show_optional_time(breaker.opened_at),
        "half_open_at": show_optional_time(breaker.half_open_at),
        "last_failure_at": show_optional_time(breaker.last_failure_at),
        "open_until": show_optional_time(breaker.open_until),
        "held_by_operator": breaker.is_held,
        "updated_at": show_optional_time(breaker.updated_at),
    }
