"""Requests made from the OpenAPI document, and their answers held against it (Schemathesis).

Half of them keep to the document and half do not; most name things that are there, so that
they get further than to a 404.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import schemathesis
from apiflask import APIFlask
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

Json = dict[str, Any]
AnyCase = Case[Any]
# Makes things anew and tells them by the name that a path calls them.
Inhabit = Callable[[], Json]


def _no_fault_of_ours(_context: CheckContext, response: Response, case: AnyCase) -> None:
    """501 and 502 are documented where they may be met: not built, and a provider's failure."""
    assert response.status_code not in _FAULTS, f"{case.operation.label}: {response.status_code}"


_FAULTS = (500, 503, 504)
_CHECKS = [
    _no_fault_of_ours,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Streams are another process's.
_STREAMS = "/sse"
_SHOWN_CHARACTERS = 1500


@dataclass
class Outcome:
    """What came of a run."""

    operations: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)
    failed: int = 0

    @property
    def cases(self) -> int:
        return self.statuses.total()

    def note(self, operation: str, problem: BaseException) -> None:
        """Keep the first of each kind."""
        self.failed += 1
        inner = getattr(problem, "exceptions", (problem,))
        for each in inner:
            key = (operation, type(each).__name__)
            self.failures.setdefault(key, str(each)[:_SHOWN_CHARACTERS])

    def summary(self) -> str:
        statuses = dict(sorted(self.statuses.items()))
        cases = f"{self.cases} cases of {self.operations} operations"
        lines = [f"{cases}, {self.failed} of them failed; statuses: {statuses}"]
        for (operation, kind), text in sorted(self.failures.items()):
            lines += ["", f"--- {operation}: {kind}", text]
        return "\n".join(lines)


def run(
    app: APIFlask, inhabit: Inhabit, *, headers: dict[str, str], examples: int, seed: int
) -> Outcome:
    """So many cases of each operation, always the same ones for a seed."""
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    outcome = Outcome()
    operations: list[Any] = [each.ok() for each in schema.get_all_operations()]  # type: ignore[union-attr]
    # What takes things away comes last, and leaves them as it found them.
    operations.sort(key=lambda each: (each.method.upper() == "DELETE", each.path, each.method))
    there = inhabit()
    for operation in operations:
        if operation.path.endswith(_STREAMS):
            continue
        outcome.operations += 1
        if _takes_away(operation.label):
            there = inhabit()
        _try(operation, there, outcome, headers=headers, examples=examples, seed=seed)
        if _takes_away(operation.label):
            there = inhabit()
    return outcome


def _takes_away(label: str) -> bool:
    return label.startswith("DELETE ") or label.endswith("/delete")


def _try(
    operation: Any,
    there: Json,
    outcome: Outcome,
    *,
    headers: dict[str, str],
    examples: int,
    seed: int,
) -> None:
    strategies = [
        operation.as_strategy(generation_mode=mode)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    ]

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=st.one_of(strategies), is_there=st.integers(0, 3).map(bool))
    def one(case: AnyCase, *, is_there: bool) -> None:
        if is_there:
            _name_what_is_there(case, there, headers)
        try:
            response = case.call()
            outcome.statuses[response.status_code] += 1
            case.validate_response(response, checks=_CHECKS)
        except AssertionError as problem:
            outcome.note(operation.label, problem)
        except BaseExceptionGroup as problem:
            outcome.note(operation.label, problem)

    with suppress(hypothesis.errors.Unsatisfiable):  # it takes nothing, so nothing can be wrong
        one()


def _name_what_is_there(case: AnyCase, there: Json, headers: dict[str, str]) -> None:
    for name in case.path_parameters:
        if name in there:
            case.path_parameters[name] = there[name]
    case.headers.update(headers)
    if case.headers.get("Idempotency-Key"):
        # Else the second of a kind would be told what the first was.
        case.headers["Idempotency-Key"] = f"key-{time.monotonic_ns()}"
