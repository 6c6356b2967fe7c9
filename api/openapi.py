"""The OpenAPI document, made from the contracts that the views are checked by.

`python -m api.print_openapi` prints it; docs/openapi.json is a copy, compared by a test.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, cast

from apiflask import APIFlask
from apispec import APISpec
from marshmallow import Schema

from api.endpoint import Contract, contract_of
from api.schemas.health import ErrorSchema
from api.schemas.parts import PARTS
from common.domain.access import Admission, Need, Scope

Json = dict[str, Any]

VERSION: Final = "1"

_DESCRIPTION: Final = (
    "A self-hosted backend for AI agent sessions. Every route below /v1 is also served below"
    " /api/v1. Ids are taken with or without their prefix and dashes; every POST that changes"
    " something takes an Idempotency-Key. Who calls shows a key, as `Authorization: Bearer …` or"
    " bare; each operation names the scope that the key needs, and those without one take any key"
    " that is good. Users log in and show an access token in the same way, or their browser does"
    " by a cookie. With AUTH_MODE=none nobody is asked. Beside what it lists, any operation may"
    " answer 405, 408 (the request came too slowly), 414 or 431 (its line or headers are too long),"
    " 500 and 503, as `Error`."
)
_SECURITY_SCHEMES: Final[dict[str, Json]] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The key alone, as the official SDK sends it.",
    },
}
_ERROR: Final = {"$ref": "#/components/schemas/Error"}
_KEY: Final = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "A repeat with the same key and body answers as the first did; 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_ORGANIZATION: Final = {
    "in": "header",
    "name": "X-Org-Id",
    "required": False,
    "description": "The organization to act in; the default one when absent.",
    "schema": {"type": "string"},
}


def configure(app: APIFlask) -> None:
    """Tell APIFlask what to document; the document itself is made when it is asked for."""
    app.config.update(
        OPENAPI_VERSION="3.1.0",
        AUTO_SERVERS=False,
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_200_RESPONSE=False,
        DESCRIPTION=_DESCRIPTION,
        SERVERS=[{"url": "/"}, {"url": "/api", "description": "what the SDK is given"}],
        SPEC_PROCESSOR_PASS_OBJECT=True,
    )
    app.schema_name_resolver = _component_name
    app.spec_callback = cast(Any, _with_components)


def _component_name(schema: Schema | type[Schema]) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema")


def document(app: APIFlask) -> Json:
    """The document of an application."""
    for view in app.view_functions.values():
        contract = contract_of(view)
        if contract is not None and not hasattr(view, "_spec"):
            # What app.input() and app.output() would leave there, had they our checks.
            vars(view)["_spec"] = _described(contract, view)
    spec = cast(Json, app.spec)
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            _complete(operation, path, method)
    spec["paths"] = dict(sorted(spec["paths"].items()))
    return spec


def _described(contract: Contract, view: Callable[..., Any]) -> Json:
    responses = {contract.status: _success(contract, "Done")}
    responses |= {status: _success(contract, text) for status, text in contract.also.items()}
    refusals = (429,) if contract.scope is Admission.PUBLIC else (401, 403, 429)
    responses |= {status: _failure(status) for status in (400, *refusals, *contract.fails)}
    described: Json = {
        "summary": contract.summary,
        "description": contract.description or (view.__doc__ or "").strip(),
        "operation_id": view.__name__,
        "args": [(contract.query, "query")] if contract.query else [],
        "responses": responses,
        "extensions": {
            "x-needs-body": contract.needs_body,
            "x-only-reads": contract.only_reads,
            "security": _security(contract.scope),
        },
    }
    if contract.takes_file:
        described |= {"body": contract.takes, "content_type": "multipart/form-data"}
    elif contract.takes is not None:
        described |= {"body": contract.takes, "content_type": "application/json"}
    return described


def _security(need: Need) -> list[Json]:
    if need is Admission.PUBLIC:
        return []
    scopes = [need.value] if isinstance(need, Scope) else []
    return [{name: scopes} for name in _SECURITY_SCHEMES]


def _success(contract: Contract, description: str) -> Json:
    if contract.returns is not None:
        content: Json = {"application/json": {"schema": contract.returns}}
    elif contract.status == HTTPStatus.NO_CONTENT:
        return {"description": description}
    else:
        content = {contract.content_type: {"schema": {"type": "string"}}}
    return {"description": description, "content": content}


def _failure(status: int) -> Json:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {"application/json": {"schema": _ERROR}},
    }


def _with_components(spec: APISpec) -> APISpec:
    spec.components.schema("Error", schema=ErrorSchema())
    for name, scheme in _SECURITY_SCHEMES.items():
        spec.components.security_scheme(name, scheme)
    for name, part in PARTS.items():
        spec.components.schema(name, schema=part)
    refs = [{"$ref": f"#/components/schemas/{name}"} for name in PARTS]
    spec.components.schema("ContentPart", {"oneOf": refs})
    return spec


def _complete(operation: Json, path: str, method: str) -> None:
    """Add what every route of a kind has."""
    if operation.pop("x-needs-body", False):
        operation["requestBody"]["required"] = True
    only_reads = operation.pop("x-only-reads", False)
    if path == "/v1/agents/import":
        text = {"schema": {"type": "string"}}
        operation["requestBody"] = {
            "required": True,
            "content": dict.fromkeys(("text/plain", "text/markdown"), text),
        }
    if not operation["security"] and path.startswith("/v1/"):
        return
    if path.startswith("/v1/"):
        operation["parameters"].append(_ORGANIZATION)
        if method == "post" and not only_reads:
            operation["parameters"].append(_KEY)
    else:
        for status in ("400", "429"):
            operation["responses"].pop(status, None)
