"""Sessions under writers that come and go, and race: always what some order of them would give.

Hypothesis makes up what is done.  What is done alone must do to the database what it does to
the model; what is done at the same time must come to what some order of it comes to, with the
same results for everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from itertools import permutations
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from common.clock import new_id
from common.domain.ids import DEFAULT_ORGANIZATION
from common.storage import log, waiting
from tests.integration.storage.conftest import Rows
from tests.integration.storage.log_model import Session, Turn
from tests.integration.storage.log_operations import (
    Answer,
    AnswerOverdue,
    Append,
    Cancel,
    ClaimTurn,
    End,
    HandOver,
    Operation,
    Post,
    Read,
    Renew,
    SendAgain,
    Suspend,
    TakeBack,
    Writer,
    writer_of,
)

_AT_ONCE = 3
_KINDS = (
    *("post", "claim", "append") * 3,
    *("end", "suspend", "answer", "take_back") * 2,
    *("overdue", "send_again", "renew", "hand_over", "cancel", "read"),
)
# What is done, and a number that says the rest: by which writer, with what in view.
_WISHES = st.tuples(st.sampled_from(_KINDS), st.integers(0, 11))


class LogMachine(RuleBasedStateMachine):
    """One session, its model, and the workers that think they have a turn of it."""

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self._database = rows.database
        self._threads = rows.threads
        self._session_id = rows.session()
        self._model = Session()
        self._writers: list[Writer] = []

    def teardown(self) -> None:
        """No later machine is to meet what is left of this one."""
        with self._database.transaction() as tx:
            tx.execute(
                text(
                    "UPDATE turns SET status = 'failed', ended_at = now()"
                    " WHERE session_id = :s AND ended_at IS NULL"
                ),
                {"s": self._session_id},
            )

    @initialize()
    def begin(self) -> None:
        self._apply([Post(self._session_id, new_id())])

    @rule(wish=_WISHES)
    def one(self, wish: tuple[str, int]) -> None:
        self._apply([self._operation(*wish)])

    @rule(wishes=st.lists(_WISHES, min_size=2, max_size=_AT_ONCE))
    def together(self, wishes: list[tuple[str, int]]) -> None:
        """Everybody at once; but no worker does two things at a time."""
        operations: list[Operation] = []
        busy: set[Writer] = set()
        for wish in wishes:
            operation = self._operation(*wish)
            writer = writer_of(operation)
            if writer in busy:
                continue
            if writer is not None:
                busy.add(writer)
            operations.append(operation)
        self._apply(operations)

    @invariant()
    def the_database_is_as_the_model(self) -> None:
        assert self._stored() == self._model

    # --- inside --------------------------------------------------------------------------

    def _operation(self, kind: str, number: int) -> Operation:
        session_id, model = self._session_id, self._model
        match kind:
            case "post":
                return Post(session_id, new_id())
            case "claim":
                known = list(model.turns)
                return ClaimTurn(session_id, known[-1 - number // 4 % len(known)])
            case "answer":
                return Answer(session_id, 1 + number % 2)
            case "take_back":
                return TakeBack(session_id)
            case "overdue":
                return AnswerOverdue(session_id)
            case "send_again":
                return SendAgain(session_id)
            case "cancel":
                return Cancel(session_id)
            case _:
                pass
        if not self._writers or kind == "read":
            return Read(session_id)
        return self._of_writer(kind, number)

    def _of_writer(self, kind: str, number: int) -> Operation:
        """Mostly by the newest worker, which may still have its turn."""
        session_id, model = self._session_id, self._model
        writer = self._writers[-1 - number // 6 % len(self._writers)]
        seen = model.last_input - number % 3 // 2
        match kind:
            case "append":
                view = seen if number % 2 else None
                is_progress = number % 4 == 0
                return Append(session_id, writer, view, 1 + number % 3, is_progress=is_progress)
            case "end":
                read_through = seen - (number % 4 == 3)
                return End(session_id, writer, seen, read_through, new_id())
            case "suspend":
                return Suspend(session_id, writer, seen, 1 + number % 3)
            case "renew":
                return Renew(session_id, writer)
            case _:
                return HandOver(session_id, writer)

    def _apply(self, operations: Sequence[Operation]) -> None:
        outcomes = self._do(operations)
        stored = self._stored()
        steps = list(zip(operations, outcomes, strict=True))
        for order in permutations(steps):
            model = deepcopy(self._model)
            in_a_race = len(operations) > 1
            is_allowed = all(
                step.allows(model, outcome, in_a_race=in_a_race) for step, outcome in order
            )
            if is_allowed and model == stored:
                self._model = model
                break
        else:
            raise AssertionError(f"no order of {steps} on {self._model} leads to {stored}")
        for operation, outcome in steps:
            self._remember(operation, outcome)

    def _do(self, operations: Sequence[Operation]) -> list[Any]:
        if len(operations) == 1:
            return [operations[0].do(self._database)]
        start = Barrier(len(operations))

        def do(operation: Operation) -> Any:
            start.wait(10)
            return operation.do(self._database)

        return [done.result(30) for done in [self._threads.submit(do, op) for op in operations]]

    def _remember(self, operation: Operation, outcome: Any) -> None:
        if isinstance(operation, ClaimTurn) and outcome is not None:
            self._writers.append(Writer(operation.turn_id, outcome[0]))
        writer = writer_of(operation)
        if writer is not None and outcome in ("ended", "waits", "handed over"):
            self._writers.remove(writer)

    def _stored(self) -> Session:
        """The session as the database has it."""
        with self._database.reading() as tx:
            head = log.look(tx, self._session_id)
            events = list(log.read_all(tx, self._session_id, 0))
            waits = waiting.of_session(tx, DEFAULT_ORGANIZATION, self._session_id)
            rows = tx.execute(
                text("SELECT * FROM turns WHERE session_id = :s ORDER BY created_at, id"),
                {"s": self._session_id},
            ).all()
        assert head is not None
        assert [event.sequence for event in events] == list(range(1, head.last_sequence + 1))
        stamps = [event.ts for event in events]
        assert stamps == sorted(stamps)
        pending = [] if waits is None else [call.id for call in waits.pending]
        return Session(
            log=[event.type for event in events],
            epoch=head.epoch,
            status=head.status,
            open_turn=head.open_turn_id,
            last_input=head.last_input_sequence,
            turns={
                row.id: Turn(
                    row.input_sequence,
                    row.status,
                    row.epoch,
                    row.attempt,
                    row.reclaims,
                    row.handed_over,
                    pending if row.status == "waiting" else [],
                )
                for row in rows
            },
        )


@pytest.mark.slow
def test_the_storage_of_a_session_does_what_the_model_does(rows: Rows) -> None:
    run_state_machine_as_test(
        lambda: LogMachine(rows),  # type: ignore[arg-type]  # it takes any factory
        settings=settings(
            max_examples=60,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
