"""Answer a waiting turn: results of client-side tools, decisions on calls to be approved.

One transaction under the head's lock, durable without any worker's help (I7).  All answers
of a request are stored or none; the ones that complete what is waited for queue the turn,
which is sent after the commit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import orjson

from api.auth import Caller
from api.deps import Deps
from api.schemas.waiting import CallDecision, ToolResult
from common.domain.errors import BadRequest, Conflict, FieldProblem, NotFound
from common.domain.events import EventDraft
from common.domain.turn import SessionStatus, ToolCall
from common.domain.turn_task import TaskLabel
from common.domain.waiting import Decision, Waiting, WaitKind, decided, failed, succeeded
from common.event_codec import LoggedEvent
from common.storage import idempotency, log, sessions, waiting
from common.storage.engine import Tx
from common.storage.idempotency import IdempotencyKey
from common.storage.log import Head

Json = dict[str, Any]

_WORDS_FOR: Final = {
    WaitKind.RESULTS: "tool results",
    WaitKind.DECISIONS: "tool approvals",
}


@dataclass(frozen=True, slots=True)
class _Answered:
    """What a request did; `resumed` is the turn that goes on, if it does."""

    reply: Json
    events: list[LoggedEvent]
    resumed: UUID | None


_Answer = Callable[[Tx, Head, Waiting], _Answered]


def submit_tool_results(
    deps: Deps,
    caller: Caller,
    session_id: UUID,
    results: tuple[ToolResult, ...],
    key: IdempotencyKey | None,
) -> Json:
    """Take results of client-side tools; returns `{accepted, status}`.

    Raises:
        NotFound: there is no such session.
        Conflict: it is not waiting for tool results.
        BadRequest: a call is unknown or has its result already; nothing was stored.
    """

    def answer(tx: Tx, head: Head, waits: Waiting) -> _Answered:
        calls = _pending("tool_results", [each.tool_call_id for each in results], waits)
        drafts = [
            succeeded(call, waits.context, given.result)
            if given.error is None
            else failed(call, waits.context, given.error)
            for call, given in zip(calls, results, strict=True)
        ]
        return _store(tx, head, waits, drafts, {"accepted": len(calls)}, answered=len(calls))

    return _answer(deps, caller, session_id, key, kind=WaitKind.RESULTS, answer=answer)


def submit_tool_approvals(
    deps: Deps,
    caller: Caller,
    session_id: UUID,
    decisions: tuple[CallDecision, ...],
    key: IdempotencyKey | None,
) -> Json:
    """Take decisions on calls that a person must allow; returns `{resolved, status}`.

    Raises:
        NotFound: there is no such session.
        Conflict: it is not waiting for approvals.
        BadRequest: a call is unknown or was decided on already; nothing was stored.
    """

    def answer(tx: Tx, head: Head, waits: Waiting) -> _Answered:
        ids = [each.tool_call_id for each in decisions]
        calls = _pending("decisions", ids, waits)
        by = str(caller.principal_id)
        drafts: list[EventDraft] = []
        standing: dict[str, Decision] = {}
        for call, given in zip(calls, decisions, strict=True):
            drafts += decided(call, waits.context, given.decision, reason=given.reason, by=by)
            if given.decision.is_standing:
                standing[call.name] = given.decision
        if standing:
            waiting.remember_decisions(tx, caller.organization_id, session_id, standing)
        return _store(tx, head, waits, drafts, {"resolved": ids}, answered=len(calls))

    return _answer(deps, caller, session_id, key, kind=WaitKind.DECISIONS, answer=answer)


def _answer(
    deps: Deps,
    caller: Caller,
    session_id: UUID,
    key: IdempotencyKey | None,
    *,
    kind: WaitKind,
    answer: _Answer,
) -> Json:
    with deps.database.transaction() as tx:
        if key is not None:
            first = idempotency.first_answer(tx, key, resource_id="", status_code=HTTPStatus.OK)
            if first is not None:
                return _repeated(tx, caller, session_id, first)
        head = log.lock(tx, caller.organization_id, session_id)
        if head is None:
            raise NotFound("Session not found")
        done = answer(tx, head, _expected(tx, caller, head, kind))
        if key is not None:
            reply = orjson.dumps(done.reply).decode()
            idempotency.settle(tx, key, resource_id=reply, status_code=HTTPStatus.OK)
    deps.live.publish(session_id, done.events)
    if done.resumed is not None:
        deps.queue.send(done.resumed, label=TaskLabel(session_id, caller.organization_id))
    return done.reply


def _expected(tx: Tx, caller: Caller, head: Head, kind: WaitKind) -> Waiting:
    found = None
    if head.status is SessionStatus.WAITING:
        found = waiting.of_session(tx, caller.organization_id, head.session_id)
    if found is None or found.kind is not kind:
        # The official client tries again when it reads these words.
        instead = "" if found is None else f", for {_WORDS_FOR[found.kind]}"
        raise Conflict(
            f"This session is not waiting for {_WORDS_FOR[kind]};"
            f" its status is {head.status}{instead}"
        )
    return found


def _store(
    tx: Tx,
    head: Head,
    waits: Waiting,
    drafts: list[EventDraft],
    reply: Json,
    *,
    answered: int,
) -> _Answered:
    is_complete = answered == len(waits.pending)
    head, events = waiting.answer(tx, head, waits, drafts, is_complete=is_complete)
    status = SessionStatus.ACTIVE if is_complete else SessionStatus.WAITING
    return _Answered(
        {**reply, "status": status}, events, resumed=waits.turn_id if is_complete else None
    )


def _pending(field: str, ids: Sequence[str], waits: Waiting) -> list[ToolCall]:
    """The calls of these ids, all of which must be pending."""
    pending = {call.id: call for call in waits.pending}
    asked = {call.id for call in waits.asked}
    problems = tuple(
        FieldProblem(
            f"{field}[{place}].tool_call_id",
            "Was answered already" if call_id in asked else "Is no call that is waited for",
        )
        for place, call_id in enumerate(ids)
        if call_id not in pending
    )
    if problems:
        raise BadRequest(f"{problems[0].field}: {problems[0].message}", problems=problems)
    return [pending[call_id] for call_id in ids]


def _repeated(tx: Tx, caller: Caller, session_id: UUID, first: idempotency.FirstAnswer) -> Json:
    if not sessions.exists(tx, caller.organization_id, session_id):
        raise NotFound("Session not found")
    reply: Json = orjson.loads(first.resource_id)
    return reply
