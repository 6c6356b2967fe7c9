"""How a failed turn is put into words (contract 4.3 c).  Pure."""

from __future__ import annotations

from typing import Final, Literal, get_args

from common.domain.events import Json
from worker.turn.machine import MAX_ITERATIONS

Disclosure = Literal["generic", "standard", "detailed"]

# From the least on.
_MODES: Final[tuple[Disclosure, ...]] = get_args(Disclosure)

GENERIC: Final = "Something went wrong while handling this request. Please try again later."
SEALED: Final = (
    "This request could not be finished: it was interrupted too often. Please try again."
)
# In place of an answer that the model would not give.
REFUSED: Final = "The model declined to answer this request."
_ITERATIONS: Final = "The agent stopped: it reached the limit of steps for one request."

_TEXTS: Final = {
    "provider_rate_limited": "The model provider is limiting requests. Please wait a little.",
    "provider_usage_limit_reached": "The usage limit of the model provider is reached.",
    "provider_quota_exhausted": "The quota at the model provider is used up.",
    "invalid_tool_schema": "A tool of this agent is described in a way the model cannot use.",
    "provider_unavailable": "The model provider has problems. Please try again shortly.",
    "provider_misconfigured": "The model provider is not set up correctly; ask your administrator.",
    "model_unavailable": "The model is not available; choose another or ask your administrator.",
    "model_not_configured": "No model is configured; ask your administrator to choose one.",
    "dependency_unavailable": "Something this needs is not available. Please try again shortly.",
    "request_too_large": "The conversation outgrew the model. Shorten it or start a new session.",
}


def disclosure_of(wish: object, most: Disclosure = "detailed") -> Disclosure:
    """The mode a message asks for, `standard` unless it names another, and never above `most`."""
    known = [mode for mode in _MODES if mode == wish]
    return min(known[0] if known else "standard", most, key=_MODES.index)


def visible_text(code: str, failure: str | None, disclosure: Disclosure) -> str:
    """The sentence the user reads."""
    if code == MAX_ITERATIONS:
        return _ITERATIONS
    if disclosure == "generic" or failure is None:
        return GENERIC
    return _TEXTS.get(failure, GENERIC)


def failure_data(
    code: str, failure: str | None, disclosure: Disclosure, *, detail: str | None
) -> Json:
    """The data of `turn.failed`, less the turn's id."""
    error = visible_text(code, failure, disclosure)
    if disclosure == "detailed" and detail:
        error = detail
    data: Json = {"error": error, "error_code": code, "error_disclosure": disclosure}
    if failure is not None:
        data["error_fields"] = {"reason": failure}
    return data
