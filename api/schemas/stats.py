"""What the sessions of an agent or a harness have used, on the wire (contract 10.3)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from marshmallow import Schema, fields

from common.event_codec import show_optional_time
from common.storage.usage_stats import ResourceStats


class ResourceStatsSchema(Schema):
    """Totals over living sessions."""

    session_count = fields.Integer(required=True)
    started_session_count = fields.Integer(required=True)
    active_session_count = fields.Integer(required=True)
    idle_session_count = fields.Integer(required=True)
    waiting_for_tool_results_session_count = fields.Integer(required=True)
    execution_count = fields.Integer(required=True)
    total_input_tokens = fields.Integer(required=True)
    total_output_tokens = fields.Integer(required=True)
    total_cache_read_tokens = fields.Integer(required=True)
    total_cache_creation_tokens = fields.Integer(required=True)
    total_session_duration_ms = fields.Integer(required=True)
    avg_session_duration_ms = fields.Integer(required=True, allow_none=True)
    first_session_at = fields.DateTime(required=True, allow_none=True)
    last_session_at = fields.DateTime(required=True, allow_none=True)
    last_execution_at = fields.DateTime(required=True, allow_none=True)


def show_stats(stats: ResourceStats) -> dict[str, Any]:
    """The totals as responses carry them."""
    average = None
    if stats.session_count:
        average = stats.total_session_duration_ms // stats.session_count
    return {
        **asdict(stats),
        "avg_session_duration_ms": average,
        "first_session_at": show_optional_time(stats.first_session_at),
        "last_session_at": show_optional_time(stats.last_session_at),
        "last_execution_at": show_optional_time(stats.last_execution_at),
    }
