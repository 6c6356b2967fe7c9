"""Which fields of which requests name things, of what kind, and how one is sent in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from common.clock import new_id
from tests.contract.api.client import Document
from tests.contract.api.tenant_requests import ask, body_of, query_of
from tests.contract.api.tenants import Things

# Text that nothing is looked up by.
FREE: Final = "free"
_NAMING: Final = re.compile(r"(^|_)(ids?|name)$|^(around|page_token|fallback_models|capabilities)$")
_KINDS: Final = {
    "agent_id": "agent",
    "agent_name": "agent.name",
    "around": "event_id",
    "capabilities": "capability_id",
    "default_model_id": "model_id",
    "fallback_models": "model_id",
    "harness_id": "harness",
    "harness_name": "harness.name",
    "id": "agent",
    "image_id": "image_id",
    "model_id": "model_id",
    # Of whoever has logged in: see test_organizations.
    "organization_id": FREE,
    "page_token": "page_token",
    # Of the audit log, which nothing is looked up for.
    "resource_id": FREE,
    "parent_harness_id": "harness",
    "session_id": "session_id",
    "since_id": "event_id",
    "turn_id": "workflow_id",
    "version_id": "version_id",
    "workflow_id": "workflow_id",
    "workspace_id": "workspace_id",
    # What its provider, a tool or a client calls something, or how it is shown to people.
    **dict.fromkeys(("actor_id", "actor_name", "display_name", "exec_id"), FREE),
    **dict.fromkeys(("tool_call_id", "tool_name", "trace_id"), FREE),
}
# Of names that must be free, whose.
_NAMES: Final = {
    "/v1/agents": "agent.name",
    "/v1/harnesses": "harness.name",
    "/v1/mcp-servers": "server_id.name",
    "/v1/providers": "provider_id.name",
    "/v1/workspaces": "workspace_id.name",
    **dict.fromkeys(("/v1/auth", "/v1/auth/api-keys", "/v1/orgs", "/v1/users"), FREE),
}
_FREE_FIELDS: Final = (".profile.name", ".profile.reasoning_effort.values[].name", ".tools[].name")
_MODELS: Final = ("/v1/models/<model_id>", "/v1/providers/<provider_id>/models")
_IDS: Final = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
# Times, places in a log, ends of names, and page tokens.
_PASSING: Final = re.compile(
    r"\d{4}-\d\d-\d\dT[^\"]*Z|\"sequence\":\d+|-[0-9a-f]{12}|ey[\w.-]{20,}"
)


def naming(document: Document) -> Iterator[tuple[str, str, str]]:
    """Method and rule of every operation, with each query (`?x`) or field (`.x`) that may name."""
    for path, operations in document.document["paths"].items():
        rule = path.replace("{", "<").replace("}", ">").replace("<file>", "<path:file>")
        for method, operation in operations.items():
            for field in _fields_of(document, operation):
                if _NAMING.search(re.split(r"[.?]", field)[-1].removesuffix("[]")):
                    yield method.upper(), rule, field


def _fields_of(document: Document, operation: Any) -> Iterator[str]:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            yield f"?{parameter['name']}"
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield from sorted(set(_fields(document, content["schema"])))


def _fields(document: Document, schema: Any, path: str = "") -> Iterator[str]:
    if "$ref" in schema:
        schema = document.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for choice in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
        yield from _fields(document, choice, path)
    if "items" in schema:
        yield from _fields(document, schema["items"], f"{path}[]")
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}.{name}"
        yield from _fields(document, inner, f"{path}.{name}")


def kind_named(method: str, rule: str, field: str) -> str | None:
    """What the field names, FREE for nothing; None when nobody has said."""
    last = re.split(r"[.?]", field)[-1].removesuffix("[]")
    collection = "/".join(rule.split("/")[:3])
    if rule.endswith("/sse"):
        return FREE  # of the stream process, which has its own walk
    if (method, field) == ("PUT", ".id"):
        return FREE  # must be what the path says
    if field in _FREE_FIELDS or (rule in _MODELS and last in ("model_id", "capabilities")):
        return FREE
    if last == "exclude_id":
        return {"/v1/agents": "agent", "/v1/harnesses": "harness"}.get(collection)
    if last == "name":
        return _NAMES.get(rule.partition("/<")[0], _NAMES.get(collection))
    return _KINDS.get(last)


def unknown_like(value: str) -> str:
    """What names nothing, and looks the same."""
    if _IDS.search(value) is None:
        return value[:-12] + new_id().hex[-12:]
    return _IDS.sub(lambda found: str(new_id()) if "-" in found[0] else new_id().hex, value)


def asking(caller: Things, method: str, rule: str, field: str, value: str) -> tuple[int, str]:
    """Status and text, without what is another with every answer.

    What is named besides, in the path, is the caller's own.
    """
    caller = caller.fresh() if rule.endswith("/fork") else caller
    options: dict[str, Any] = {}
    if field.startswith("?"):
        query = f"{query_of(method, rule, caller)}&{field[1:]}={value}"
        options["query"] = query.lstrip("&")
    elif rule == "/v1/images":
        options["fields"] = {field[1:]: value}
    else:
        options["body"] = _put(body_of(method, rule, caller) or {}, field, value)
    reply = ask(caller, method, rule, caller, **options)
    return reply.status, _PASSING.sub("*", _IDS.sub("*", reply.text.replace(value, "*")))


def _put(body: Any, field: str, value: str) -> Any:
    """The body with the value in its place, and what has to stand beside it there."""
    *above, last = field[1:].split(".")
    place = body
    for name in above:
        inner = place.setdefault(name.removesuffix("[]"), {})
        if name.endswith("[]"):
            inner[:] = [{"type": "image_file"}]
            inner = inner[0]
        place = inner
    place[last] = {"capabilities": [{"ref": value}], "fallback_models": [value]}.get(last, value)
    return body
