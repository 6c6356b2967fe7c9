import dataclasses

import pytest

from common.clock import new_id
from common.domain.errors import IdempotencyKeyReused, LeaseLost
from common.domain.ids import DEFAULT_ORGANIZATION
from common.storage import idempotency, log
from common.storage.idempotency import FirstAnswer, IdempotencyKey
from tests.integration.storage.conftest import Rows

_KEY = IdempotencyKey(
    organization_id=DEFAULT_ORGANIZATION,
    method="POST",
    route="/v1/sessions/<id>/messages",
    scope="session_1",
    key="k-1",
    body_hash="hash-1",
)


def _take(rows: Rows, key: IdempotencyKey, resource_id: str) -> FirstAnswer | None:
    with rows.database.transaction() as tx:
        return idempotency.first_answer(tx, key, resource_id=resource_id, status_code=201)


def test_the_first_takes_the_key_and_every_repeat_gets_its_answer(rows: Rows) -> None:
    assert _take(rows, _KEY, "first") is None
    for _ in range(2):
        assert _take(rows, _KEY, "second") == FirstAnswer("first", 201)


def test_another_body_under_the_same_key_is_refused(rows: Rows) -> None:
    _take(rows, _KEY, "first")
    with pytest.raises(IdempotencyKeyReused):
        _take(rows, dataclasses.replace(_KEY, body_hash="hash-2"), "second")
    assert _take(rows, _KEY, "third") == FirstAnswer("first", 201)


def test_a_key_is_bound_to_organization_method_route_and_scope(rows: Rows) -> None:
    others = [
        _KEY,
        dataclasses.replace(_KEY, organization_id=rows.organization()),
        dataclasses.replace(_KEY, method="PUT"),
        dataclasses.replace(_KEY, route="/v1/agents"),
        dataclasses.replace(_KEY, scope="session_2"),
        dataclasses.replace(_KEY, key="K-1"),
    ]
    assert [_take(rows, key, "each") for key in others] == [None] * len(others)


def test_a_repeat_waits_for_the_first_and_answers_from_it(rows: Rows) -> None:
    with rows.database.transaction() as tx:
        assert idempotency.first_answer(tx, _KEY, resource_id="first", status_code=201) is None
        (repeat,) = rows.at_once(lambda: _take(rows, _KEY, "second"))
        rows.wait_for_blocked()
        assert not repeat.done()
    assert repeat.result() == FirstAnswer("first", 201)


def test_of_many_at_once_one_has_the_effect(rows: Rows) -> None:
    futures = rows.at_once(*[lambda: _take(rows, _KEY, "one of them")] * 12)
    answers = [future.result() for future in futures]
    assert answers.count(None) == 1
    assert set(answers) == {None, FirstAnswer("one of them", 201)}


def test_a_request_that_failed_leaves_no_key(rows: Rows) -> None:
    with rows.database.engine.connect() as connection:
        assert idempotency.first_answer(connection, _KEY, resource_id="a", status_code=201) is None
        (repeat,) = rows.at_once(lambda: _take(rows, _KEY, "second"))
        rows.wait_for_blocked()
        connection.rollback()
    assert repeat.result() is None, "the waiting repeat has become the first"
    assert _take(rows, _KEY, "third") == FirstAnswer("second", 201)


def test_what_only_the_effect_could_tell_is_corrected(rows: Rows) -> None:
    other = dataclasses.replace(_KEY, scope="session_2")
    _take(rows, other, "untouched")
    with rows.database.transaction() as tx:
        idempotency.first_answer(tx, _KEY, resource_id="guess", status_code=201)
        idempotency.settle(tx, _KEY, resource_id="real", status_code=200)
    assert _take(rows, _KEY, "x") == FirstAnswer("real", 200)
    assert _take(rows, other, "x") == FirstAnswer("untouched", 201)


def test_old_keys_are_forgotten_a_slice_at_a_time(rows: Rows) -> None:
    for number in range(5):
        _take(rows, dataclasses.replace(_KEY, key=f"old-{number}"), "x")
    rows.run("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
    _take(rows, _KEY, "young")
    assert [_forget(rows), _forget(rows), _forget(rows)] == [3, 2, 0]
    assert _take(rows, _KEY, "x") == FirstAnswer("young", 201)
    assert _take(rows, dataclasses.replace(_KEY, key="old-0"), "x") is None


def _forget(rows: Rows) -> int:
    with rows.database.transaction() as tx:
        return idempotency.forget_old(tx, hours=24, limit=3)


def test_the_key_goes_with_an_effect_that_failed(rows: Rows) -> None:
    with pytest.raises(LeaseLost):
        _have_an_effect_that_fails(rows)
    assert rows.all("SELECT 1 FROM idempotency_keys") == []


def _have_an_effect_that_fails(rows: Rows) -> None:
    with rows.database.transaction() as tx:
        idempotency.first_answer(tx, _KEY, resource_id="x", status_code=201)
        log.append(tx, new_id(), [], fence=log.Fence(0))
