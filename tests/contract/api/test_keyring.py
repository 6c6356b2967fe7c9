"""What a process remembers of keys, and for how long it goes by that."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from api.keyring import Keyring
from common.clock import new_id
from common.domain.access import EVERYTHING
from common.domain.ids import OPERATOR_PRINCIPAL
from common.storage import api_keys
from common.storage.api_keys import NewKey
from common.storage.engine import Database
from tests.contract.api.test_hot_path import counting

NEVER = 3600.0


class Clock:
    """Stands still unless told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keyring(database: Database, clock: Clock) -> Iterator[Keyring]:
    """One whose thread looks once, at the beginning."""
    keyring = Keyring(database, refresh_seconds=NEVER, monotonic=clock)
    yield keyring
    keyring.close()


@pytest.fixture
def key_id(database: Database, organization: UUID) -> UUID:
    return keep(database, organization, lasts=None)


def keep(database: Database, organization: UUID, *, lasts: timedelta | None) -> UUID:
    """A key whose digest is its id in hex."""
    key_id = new_id()
    with database.transaction() as tx:
        api_keys.insert(
            tx,
            NewKey(
                id=key_id,
                organization_id=organization,
                principal_id=OPERATOR_PRINCIPAL,
                name="a test",
                digest=key_id.hex,
                prefix="evr_pat_...",
                grants=EVERYTHING,
                lasts=lasts,
            ),
        )
    return key_id


def revoke(database: Database, key_id: UUID) -> None:
    with database.transaction() as tx:
        assert api_keys.revoke(tx, key_id)


def test_what_is_not_known_has_to_be_found(keyring: Keyring, key_id: UUID) -> None:
    assert keyring.recall(key_id.hex) is None
    assert keyring.find("nonsense") is None
    found = keyring.find(key_id.hex)
    assert found is not None
    assert keyring.recall(key_id.hex) == found


def test_a_key_that_was_not_asked_about_for_long_is_not_trusted(
    keyring: Keyring, key_id: UUID, clock: Clock
) -> None:
    keyring.find(key_id.hex)
    clock.seconds += 9.0
    assert keyring.recall(key_id.hex) is not None
    clock.seconds += 2.0
    assert keyring.recall(key_id.hex) is None
    keyring.refresh()
    assert keyring.recall(key_id.hex) is not None


def test_a_look_at_the_keys_finds_those_that_were_revoked(
    keyring: Keyring, key_id: UUID, database: Database
) -> None:
    ended: list[str] = []
    keyring.find(key_id.hex)
    keyring.hold(key_id, lambda: ended.append("held"))
    revoke(database, key_id)

    keyring.refresh()

    assert keyring.recall(key_id.hex) is None
    assert set(ended) == {"held"}  # the keyring's own thread may have looked as well


def test_what_is_held_ends_also_when_the_key_was_forgotten_before(
    keyring: Keyring, key_id: UUID, database: Database
) -> None:
    """A stream that opens while its key is revoked is not overlooked."""
    ended: list[str] = []

    def end() -> None:
        ended.append("held")

    keyring.find(key_id.hex)
    revoke(database, key_id)
    keyring.forget(key_id)
    keyring.hold(key_id, end)
    keyring.refresh()
    assert set(ended) == {"held"}  # the keyring's own thread may have looked as well
    keyring.release(key_id, end)
    keyring.refresh()
    assert set(ended) == {"held"}  # the keyring's own thread may have looked as well


def test_a_key_ends_by_the_databases_clock_and_is_counted_here(
    keyring: Keyring, database: Database, organization: UUID, clock: Clock
) -> None:
    key_id = keep(database, organization, lasts=timedelta(seconds=5))
    keyring.find(key_id.hex)
    clock.seconds += 4.0
    assert keyring.recall(key_id.hex) is not None
    clock.seconds += 1.5
    assert keyring.recall(key_id.hex) is None


def test_keys_that_nobody_shows_are_forgotten(
    keyring: Keyring, key_id: UUID, database: Database, clock: Clock
) -> None:
    keyring.find(key_id.hex)
    clock.seconds += 301.0
    keyring.refresh()
    with counting(database) as counted:
        keyring.refresh()
    assert counted.statements == []


def test_one_statement_asks_about_all_keys(
    keyring: Keyring, database: Database, organization: UUID
) -> None:
    for _ in range(5):
        keyring.find(keep(database, organization, lasts=None).hex)
    keyring.refresh()
    with counting(database) as counted:
        keyring.refresh()
    assert len(counted.statements) == 1
