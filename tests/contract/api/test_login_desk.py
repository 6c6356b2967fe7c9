"""What a process remembers of logins, and for how long it goes by that."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest

from api.access_tokens import AccessToken, AccessTokens
from api.auth import Presented
from api.login_desk import LoginDesk
from common.storage.engine import Database, Tx
from tests.contract.api.people import People


class Clock:
    """Stands still unless told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Slow(Database):
    """Something happens while it answers."""

    meanwhile: Callable[[], object] | None = None

    @contextmanager
    def reading(self) -> Iterator[Tx]:
        with super().reading() as tx:
            yield tx
        happening, self.meanwhile = self.meanwhile, None
        if happening is not None:
            happening()


@pytest.fixture
def slow(shared_database_url: str) -> Iterator[Slow]:
    database = Slow(shared_database_url, pool_size=2, application="everturn test")
    yield database
    database.close()


@pytest.fixture
def token(people: People, organization: UUID) -> AccessToken:
    person = people.member(organization)
    found = AccessTokens.of(people.deps.settings).read(person.tokens["access_token"])
    assert found is not None
    return found


def test_a_slow_answer_makes_no_login_older_than_it_was(
    people: People, slow: Slow, token: AccessToken
) -> None:
    """It was found while all were asked about; that answer is the younger one."""
    clock = Clock()
    tokens = AccessTokens.of(people.deps.settings)
    desk = LoginDesk(slow, tokens, start=lambda: None, monotonic=clock)
    desk.find(token, Presented())

    def found_again() -> None:
        clock.seconds += 8.0
        desk.find(token, Presented())

    slow.meanwhile = found_again
    desk.refresh()
    clock.seconds += 5.0

    assert desk.recall(token, Presented()) is not None
