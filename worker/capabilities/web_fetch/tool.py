"""The tool `web_fetch`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import collapse_rfc2231_value
from functools import partial
from typing import Any, Final
from urllib.parse import unquote

import orjson

from common.domain.capability_catalog.web_fetch import WEB_FETCH
from common.domain.outbound import (
    HostRules,
    OutboundPolicy,
    OutboundRefused,
    PrivateTargets,
    Target,
    read_target,
)
from worker.capabilities.capability import (
    Capability,
    SideEffect,
    Tool,
    ToolContext,
    ToolFailed,
    ToolOutcome,
    ToolSucceeded,
)
from worker.capabilities.outbound.guard import Guard
from worker.capabilities.services import Services
from worker.capabilities.tool_result import RESULT_LIMIT_BYTES, fitting_prefix, storable_json
from worker.capabilities.web_fetch import rendering
from worker.capabilities.web_fetch.exchange import (
    Answer,
    FetchFailed,
    Outgoing,
    Pace,
    Stopped,
    answered,
)

_TIMEOUT_SECONDS: Final = 60.0
_NAME_CHARACTERS: Final = 200


def capability(services: Services) -> Capability:
    """The capability; the operator's private targets come from the settings."""
    private = services.settings.outbound_allow_private
    tool = Tool.declared(
        WEB_FETCH.tool("web_fetch"),
        # A GET may be repeated and a POST may not, so each call is asked about.
        side_effect=SideEffect.RECONCILE,
        run=partial(_run, private),
        reconcile=_reconcile,
        timeout_seconds=_TIMEOUT_SECONDS,
    )
    return Capability(id=WEB_FETCH.id, tools=(tool,))


def _reconcile(arguments: Mapping[str, Any], _context: ToolContext) -> ToolOutcome | None:
    if arguments.get("method") == "POST":
        return ToolFailed("The request was interrupted; it may have taken effect.")
    return None


def _run(
    private: PrivateTargets, arguments: Mapping[str, Any], context: ToolContext
) -> ToolOutcome:
    try:
        asked = _asked(arguments, context)
        policy = OutboundPolicy(private, HostRules.from_json(context.network_access))
        pace = Pace(context.is_stopped)
        with answered(asked, Guard(policy), pace) as answer:
            return ToolSucceeded(_result(answer, arguments, pace))
    except OutboundRefused as refused:
        return ToolFailed(f"The address cannot be fetched: {refused.reason}.")
    except FetchFailed as failed:
        return ToolFailed(str(failed))
    except Stopped:
        return ToolFailed("The turn was stopped.")


def _asked(arguments: Mapping[str, Any], context: ToolContext) -> Outgoing:
    target: Target = read_target(arguments["url"])
    method = arguments.get("method", "GET")
    has_body, has_json = "body" in arguments, "json" in arguments
    if method != "POST":
        if has_body or has_json:
            raise FetchFailed("Only POST takes body or json.")
        return Outgoing(target=target, method=method)
    if has_body and has_json:
        raise FetchFailed("Give body or json, not both.")
    headers = {"Idempotency-Key": context.idempotency_key}
    if has_json:
        content = orjson.dumps(arguments["json"])
        headers["Content-Type"] = "application/json"
    else:
        content = str(arguments.get("body", "")).encode()
        headers["Content-Type"] = "text/plain; charset=utf-8"
    return Outgoing(target=target, method=method, content=content, headers=headers)


def _result(answer: Answer, arguments: Mapping[str, Any], pace: Pace) -> dict[str, Any]:
    media_type, charset = _content_type(answer)
    length = answer.headers.get("Content-Length", "")
    result: dict[str, Any] = {
        "url": answer.url,
        "status_code": answer.status,
        "content_type": media_type or None,
        "size": int(length) if re.fullmatch("[0-9]{1,15}", length) else None,
        "format": "raw",
    }
    modified = answer.headers.get("Last-Modified")
    if modified:
        result["last_modified"] = modified[:_NAME_CHARACTERS]
    filename = _filename(answer)
    if filename:
        result["filename"] = filename
    if arguments.get("method") == "HEAD":
        return result
    if rendering.is_text(media_type) is False:
        return {**result, "error": "The content is not text and is not shown."}
    body, cut = answer.read()
    if rendering.is_text(media_type) is None and not rendering.looks_like_text(body):
        return {**result, "error": "The content is not text and is not shown."}
    result["size"] = len(body)
    text = rendering.as_text(body, charset=charset, media_type=media_type)
    wanted = _wanted(arguments)
    if wanted and rendering.is_html(media_type):
        text, result["format"] = rendering.converted(text, to=wanted, seconds_left=pace.left())
    elif wanted == "text":
        result["format"] = "text"
    return _bounded(result, text, cut)


def _wanted(arguments: Mapping[str, Any]) -> str | None:
    if arguments.get("as_markdown"):
        return "markdown"
    return "text" if arguments.get("as_text") else None


def _bounded(result: dict[str, Any], text: str, cut: str | None) -> dict[str, Any]:
    """The result with as much of the content as fits, marked at its end if it is not all."""
    # As it will be stored, which may be longer: what is too long then loses its shape.
    plain: dict[str, Any] = storable_json({**result, "content": text})
    content: str = plain["content"]
    if len(orjson.dumps(plain)) > RESULT_LIMIT_BYTES:
        cut = f"only the beginning of {len(content)} characters"
    if cut is None:
        return plain
    mark = f"\n\n[Truncated: {cut}]"
    frame = {**plain, "content": mark, "truncated": True}
    return {**frame, "content": fitting_prefix(content, frame) + mark}


def _content_type(answer: Answer) -> tuple[str, str | None]:
    header = answer.headers.get("Content-Type", "")[:1000]
    media_type, _, rest = header.partition(";")
    found = re.search(r"charset\s*=\s*\"?([A-Za-z0-9_-]{1,40})", rest, re.IGNORECASE)
    return media_type.strip().lower(), found[1] if found else None


def _filename(answer: Answer) -> str | None:
    disposition = answer.headers.get("Content-Disposition", "")[:1000]
    if not disposition:
        return None
    message = EmailMessage()
    try:
        message["Content-Disposition"] = disposition
        name = message.get_filename()
    except (ValueError, KeyError, IndexError):
        return None
    if not name:
        return None
    # A name, never a path.
    bare = unquote(collapse_rfc2231_value(name)).replace("\\", "/").rpartition("/")[2]
    return bare[:_NAME_CHARACTERS] or None
