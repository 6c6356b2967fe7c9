"""A diagnosis on the wire."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from common.diagnosis import Diagnosis


class DiagnosisSchema(Schema):
    """Why a session does not go on; `code` is one of those in docs/operations.md."""

    code = fields.String(required=True)
    message = fields.String(required=True)
    evidence = fields.Dict(required=True)
    suggestions = fields.List(fields.String(), required=True)
    is_stuck = fields.Boolean(
        required=True, metadata={"description": "whether it will not go on by itself"}
    )


def show_diagnosis(found: Diagnosis) -> dict[str, Any]:
    """As it goes out."""
    return {
        "code": found.code,
        "message": found.message,
        "evidence": found.evidence,
        "suggestions": list(found.suggestions),
        "is_stuck": found.is_stuck,
    }
