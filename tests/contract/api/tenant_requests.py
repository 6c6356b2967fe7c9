"""What is sent to each route of the walk, so that only whose things it names can be its fault.

A route that is in none of these tables is asked with an empty body; the walk fails when that
is not enough for the owner either.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from tests.contract.api.client import Reply, saying
from tests.contract.api.tenants import Things
from tests.contract.api.uploads import PNG, upload

# Routes that are the same as others, spelled another way.
_SPELLINGS: Final = (
    ("/v1/agents/<agent>/sessions", "/v1/sessions"),
    ("/v1/llm-providers", "/v1/providers"),
    ("/v1/llm-models", "/v1/models"),
    ("/v1/auth/personal-access-tokens", "/v1/auth/api-keys"),
)
_RESULTS: Final = {"tool_results": [{"tool_call_id": "c", "result": 1}]}
_DECISIONS: Final = {"decisions": [{"tool_call_id": "c", "decision": "allow"}]}

Body = Callable[[Things], Any]
_BODIES: Final[dict[tuple[str, str], Body]] = {
    ("POST", "/v1/agents"): lambda own: {"name": own.name(), "system_prompt": "x"},
    ("PUT", "/v1/agents/<agent>"): lambda own: {"name": own.name(), "system_prompt": "x"},
    ("POST", "/v1/agents/import"): lambda own: f"---\nname: {own.name()}\n---\nx".encode(),
    ("POST", "/v1/agents/<agent>/versions/default"): lambda _: {"version_id": None},
    ("POST", "/v1/agents/<agent>/versions/<version_id>/fork"): lambda own: {"name": own.name()},
    ("POST", "/v1/auth/api-keys"): lambda own: {"name": own.name(), "scopes": ["channels:use"]},
    ("POST", "/v1/channels/<channel>/sessions/<session_id>/messages"): lambda _: saying("x"),
    ("POST", "/v1/channels/<channel>/sessions/<session_id>/tool-approvals"): lambda _: _DECISIONS,
    ("POST", "/v1/harnesses"): lambda own: {"name": own.name()},
    ("POST", "/v1/mcp-servers"): lambda own: {"name": own.name(), "url": "https://m.example.com/"},
    ("POST", "/v1/orgs/<org>/invitations"): lambda own: {"email": f"{own.name()}@example.com"},
    ("PATCH", "/v1/orgs/<org>/members/<user_id>"): lambda _: {"role": "viewer"},
    ("POST", "/v1/providers"): lambda own: {"name": own.name(), "provider_type": "openai"},
    ("POST", "/v1/providers/<provider_id>/models"): lambda own: {"model_id": own.name()},
    ("POST", "/v1/sessions/<session_id>/messages"): lambda _: saying("x"),
    ("POST", "/v1/sessions/<session_id>/tool-results"): lambda _: _RESULTS,
    ("POST", "/v1/sessions/<session_id>/tool-approvals"): lambda _: _DECISIONS,
    ("PUT", "/v1/sessions/<session_id>/storage/secrets"): lambda _: {"secrets": {}},
    ("POST", "/v1/workspaces"): lambda own: {"name": own.name()},
}


def _transfer(own: Things) -> dict[str, str]:
    return {"src_path": f"/{own['file']}", "dst_path": f"/{own.name()}"}


# However the files are addressed.
_FILE_BODIES: Final[dict[tuple[str, str], Body]] = {
    ("PUT", "/fs/<path:file>"): lambda _: {"content": "x"},
    ("POST", "/fs/_/stat"): lambda own: {"path": f"/{own['file']}"},
    ("POST", "/fs/_/move"): _transfer,
    ("POST", "/fs/_/copy"): _transfer,
    ("POST", "/fs/_/grep"): lambda _: {"pattern": "x"},
}
_QUERIES: Final[dict[tuple[str, str], Callable[[Things], str]]] = {
    ("GET", "/v1/agents/check-name"): lambda own: f"name={own.name()}",
    ("GET", "/v1/harnesses/check-name"): lambda own: f"name={own.name()}",
    ("POST", "/v1/harnesses/import"): lambda _: "from-example=deep-research",
}
_FORMS: Final = {("POST", "/v1/images")}


def flat(rule: str) -> str:
    """The one spelling of a route that the tables have."""
    for other, prefix in _SPELLINGS:
        if rule.startswith(other):
            return rule.replace(other, prefix, 1)
    return rule


def path_of(rule: str, things: Things) -> str:
    """The rule with a tenant's things in the place of its arguments.

    Raises:
        KeyError: an argument names something that nobody has said how to make.
    """
    return re.sub(r"<(?:path:)?([a-z_]+)>", lambda found: things[found[1]], rule)


def body_of(method: str, rule: str, own: Things) -> Any:
    """A body that the route takes, with nothing in it that is anybody's."""
    for (verb, ending), make in _FILE_BODIES.items():
        if verb == method and rule.endswith(ending):
            return make(own)
    make = _BODIES.get((method, flat(rule)), lambda _: None)
    return make(own)


def query_of(method: str, rule: str, own: Things) -> str:
    make = _QUERIES.get((method, flat(rule)))
    return "" if make is None else make(own)


def ask(caller: Things, method: str, rule: str, owner: Things, **options: Any) -> Reply:
    """Send the route's request as one tenant, about another's things or its own.

    Options: `body` and `query` instead of the tables', `fields` of a form, `headers`.
    """
    body = options.pop("body", None) or body_of(method, rule, caller)
    query = options.pop("query", None) or query_of(method, rule, caller)
    path = path_of(rule, owner) + (f"?{query}" if query else "")
    if rule == "/v1/agents/import":
        options["content_type"] = "text/markdown"
    if (method, flat(rule)) in _FORMS:
        return upload(caller.api, PNG, path=path, **options)
    return caller.api.send(method, path, body, **options)
