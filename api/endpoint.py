"""The one decorator of views: what a contract says is what is checked and documented.

A view is called only with a request that its contract admits; what it returns
becomes the response.  `api.openapi` documents from the same contract, so the two
cannot drift.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial, wraps
from hashlib import blake2b
from http import HTTPMethod, HTTPStatus
from typing import Any, Final, Generic, TypeVar, cast

import orjson
from flask import Response, g, request
from marshmallow import Schema, ValidationError
from marshmallow.fields import List

from api.auth import NOBODY, Caller
from api.deps import Deps, current_deps
from api.request_body import field_path, read_json
from api.schemas.fields import Unacceptable
from common.domain.access import Need
from common.domain.agent import agent_ref
from common.domain.errors import BadRequest, DomainError, FieldProblem, TooLarge, Unprocessable
from common.domain.file import PATH_BYTES, file_path
from common.domain.harness import harness_ref
from common.domain.ids import Kind, parse_id
from common.domain.text import is_storable
from common.storage.idempotency import IdempotencyKey

B = TypeVar("B")
Q = TypeVar("Q")

Json = dict[str, Any]
Answer = Json | tuple[Json, int] | Response | None
View = Callable[..., Answer]

JSON_TYPE: Final = "application/json; charset=utf-8"
_WITH_BODY: Final = (HTTPMethod.POST, HTTPMethod.PUT, HTTPMethod.PATCH)
_ARGUMENT_CHARACTERS: Final = 256
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")

# How the arguments of a path are read, by the name they have in a rule.
PATH_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "session_id": partial(parse_id, Kind.SESSION),
    "server_id": partial(parse_id, Kind.MCP_SERVER),
    "workspace_id": partial(parse_id, Kind.WORKSPACE),
    # A rule has it after a slash of its own.
    "file": lambda text: file_path(f"/{text}"),
    "agent": agent_ref,
    "harness": harness_ref,
    "version_id": partial(parse_id, Kind.AGENT_VERSION),
    "from_id": partial(parse_id, Kind.AGENT_VERSION),
    "to_id": partial(parse_id, Kind.AGENT_VERSION),
    "channel": agent_ref,
    "provider_id": partial(parse_id, Kind.PROVIDER),
    "model_id": partial(parse_id, Kind.MODEL),
    "capability_id": str,
    "image_id": partial(parse_id, Kind.IMAGE),
    "worker_id": partial(parse_id, Kind.WORKER),
    "workflow_id": partial(parse_id, Kind.TURN),
    "key_id": partial(parse_id, Kind.API_KEY),
    "webhook_id": partial(parse_id, Kind.WEBHOOK),
    "delivery_id": partial(parse_id, Kind.WEBHOOK_DELIVERY),
    "entry_id": partial(parse_id, Kind.DEAD_LETTER),
    "org": partial(parse_id, Kind.ORGANIZATION),
    "user_id": partial(parse_id, Kind.USER),
    "login_id": partial(parse_id, Kind.LOGIN),
    "invitation_id": partial(parse_id, Kind.INVITATION),
    # A breaker is its provider's.
    "key": partial(parse_id, Kind.PROVIDER),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a route takes and gives.

    Attributes:
        scope: what the caller must be granted, or that it needs no grant.
        status: of success; 204 has no body.
        takes: schema of a JSON body; None reads no body.
        needs_body: whether an empty body is refused rather than read as `{}`.
        takes_text: the body is raw text instead, of at most `max_body_bytes`.
        takes_file: the body is a form with a file instead, which the view reads itself.
        returns: schema of a JSON answer, for the documentation.
        content_type: of an answer that is not JSON.
        only_reads: a POST that has no effect, so that there is none to repeat.
        fails: statuses of errors beside 400, which every route has.
    """

    summary: str
    scope: Need
    status: int = HTTPStatus.OK
    query: Schema | None = None
    takes: Schema | None = None
    needs_body: bool = False
    takes_text: bool = False
    takes_file: bool = False
    max_body_bytes: int | None = None
    returns: Schema | None = None
    content_type: str = "application/json"
    only_reads: bool = False
    also: Mapping[int, str] = field(default_factory=dict)
    fails: tuple[int, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Call(Generic[B, Q]):
    """A request that has passed its contract.

    Attributes:
        key: the Idempotency-Key of a POST, None when none was sent.  Who reads a file has to
            bind it to that: see `bound_to`.
    """

    deps: Deps
    caller: Caller
    body: B
    query: Q
    key: IdempotencyKey | None


def endpoint(contract: Contract) -> Callable[[View], View]:
    """Check requests by the contract before the view sees them."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(**arguments: str) -> Response:
            raw = _read_body(contract)
            read = {name: read_argument(name, text) for name, text in arguments.items()}
            query = _read_query(contract)
            call = Call(
                deps=current_deps(),
                caller=current_caller(),
                body=_load_body(contract, raw),
                query=query,
                key=_idempotency_key(raw, read),
            )
            return _respond(contract, view(call, **read))

        checked.contract = contract  # type: ignore[attr-defined]  # read by api.openapi
        return checked

    return decorate


def contract_of(view: Callable[..., Any]) -> Contract | None:
    """The contract of a view, None for one that has none."""
    return cast("Contract | None", getattr(view, "contract", None))


def need_of(view: Callable[..., Any]) -> Need | None:
    """What a route needs; None for one that does not say."""
    contract = contract_of(view)
    return getattr(view, "need", None) if contract is None else contract.scope


def needing(need: Need) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For views without a contract: what their routes need."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        view.need = need  # type: ignore[attr-defined]  # read by `need_of`
        return view

    return decorate


def current_caller() -> Caller:
    """Who sent this request; `api.admission` has let them in."""
    return cast(Caller, g.caller)


def json_response(body: object, status: int = HTTPStatus.OK) -> Response:
    """A JSON response; raw JSON may be spliced in as `orjson.Fragment`."""
    return Response(orjson.dumps(body), status=status, content_type=JSON_TYPE)


def _respond(contract: Contract, answer: Answer) -> Response:
    if isinstance(answer, Response):
        return answer
    if answer is None:
        return Response(status=contract.status)
    body, status = answer if isinstance(answer, tuple) else (answer, contract.status)
    g.answered_id = body.get("id")  # for the audit log: what came of it
    return json_response(body, status)


def _read_body(contract: Contract) -> bytes:
    if request.method not in _WITH_BODY or contract.takes_file:
        return b""
    limit = contract.max_body_bytes or current_deps().settings.body_limit_bytes
    if (request.content_length or 0) > limit:
        raise TooLarge(f"The request body is larger than {limit} bytes")
    # Of a body without a length no more than the limit is read, and that silently: ask for
    # one byte more and look whether it came.
    request.max_content_length = limit + 1
    raw = request.get_data(cache=False)
    if len(raw) > limit:
        raise TooLarge(f"The request body is larger than {limit} bytes")
    return raw


def _load_body(contract: Contract, raw: bytes) -> Any:
    if contract.takes_file:
        return None
    if contract.takes_text:
        return raw
    if request.method not in _WITH_BODY:
        return None
    if contract.takes is None:
        read_json(raw)
        return None
    if contract.needs_body and not raw.strip():
        raise BadRequest("The request has no body")
    value = read_json(raw)
    if value is None and not contract.needs_body:
        value = {}
    if not isinstance(value, dict):
        raise BadRequest("The request body must be a JSON object")
    return load_body(contract.takes, value)


def _read_query(contract: Contract) -> Any:
    for name, values in request.args.lists():
        if not (is_storable(name) and all(is_storable(value) for value in values)):
            shown = field_path((name,))
            raise BadRequest(
                f"{shown}: The query parameter has a character that no text has",
                problems=(FieldProblem(shown, "Has a NUL character"),),
            )
    if contract.query is None:
        return None
    given: dict[str, Any] = {}
    for attribute, declared in contract.query.fields.items():
        name = declared.data_key or attribute
        values = [value for value in request.args.getlist(name) if value != ""]
        if values:
            given[name] = values if isinstance(declared, List) else values[0]
    return load_body(contract.query, given)


def read_argument(name: str, text: str) -> Any:
    """A path's argument as its reader makes it.

    Raises:
        BadRequest: it has no form that the reader takes.
    """
    longest = PATH_BYTES if name == "file" else _ARGUMENT_CHARACTERS
    if len(text) > longest or not is_storable(text):
        raise BadRequest(
            "Not a valid path" if name == "file" else f"Not a valid {name.removesuffix('_id')} id"
        )
    return PATH_READERS[name](text)


def _idempotency_key(raw: bytes, arguments: Mapping[str, object]) -> IdempotencyKey | None:
    given = request.headers.get("Idempotency-Key")
    caller = current_caller()
    if given is None or request.method != HTTPMethod.POST or caller is NOBODY:
        return None
    if not _KEY.fullmatch(given):
        raise BadRequest(
            "Idempotency-Key must be 1 to 255 visible ASCII characters",
            problems=(FieldProblem("Idempotency-Key", "Must be 1 to 255 visible characters"),),
        )
    rule = request.url_rule
    digest = blake2b(request.query_string + b"\0" + raw, digest_size=16)
    return IdempotencyKey(
        organization_id=caller.organization_id,
        method=request.method,
        route=rule.rule if rule else request.path,
        # As read, so that every spelling of an id is the same thing.
        scope="/".join(map(str, arguments.values())),
        key=given,
        body_hash=digest.hexdigest(),
    )


def bound_to(key: IdempotencyKey | None, *facts: str) -> IdempotencyKey | None:
    """The key of a request whose body was a file, bound to what was in it."""
    if key is None:
        return None
    digest = blake2b("\0".join((key.body_hash, *facts)).encode(), digest_size=16)
    return replace(key, body_hash=digest.hexdigest())


def load_body(schema: Schema, value: Mapping[str, Any]) -> Any:
    """What the schema makes of a value.

    Raises:
        BadRequest: it is malformed, naming the fields at fault.
        Unprocessable: it is well-formed and still not acceptable.
    """
    try:
        return schema.load(value)
    except ValidationError as invalid:
        raise _refusal(invalid.messages) from invalid


def _refusal(messages: object) -> DomainError:
    """400 when anything is malformed, 422 when all that is wrong is well-formed."""
    leaves = list(_leaves(messages, ()))
    problems = tuple(FieldProblem(field_path(keys), str(message)) for keys, message in leaves)
    first = problems[0]
    summary = f"{first.field}: {first.message}" if first.field else first.message
    if all(isinstance(message, Unacceptable) for _, message in leaves):
        return Unprocessable(summary, problems=problems)
    return BadRequest(summary, problems=problems)


def _leaves(
    messages: object, keys: tuple[str | int, ...]
) -> list[tuple[tuple[str | int, ...], object]]:
    if isinstance(messages, dict):
        return [
            leaf
            for key, inner in messages.items()
            for leaf in _leaves(inner, keys if key == "_schema" else (*keys, key))
        ]
    if isinstance(messages, list):
        return [leaf for inner in messages for leaf in _leaves(inner, keys)]
    return [(keys, messages)]


def uncalled(contract: Contract) -> Callable[[Callable[[], Response]], Callable[[], Response]]:
    """Only document: for routes that take nothing, not even a caller."""

    def decorate(view: Callable[[], Response]) -> Callable[[], Response]:
        view.contract = contract  # type: ignore[attr-defined]  # read by api.openapi
        return view

    return decorate
