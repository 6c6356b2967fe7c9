import threading
from typing import Any

import pytest
from argon2 import PasswordHasher

from common.domain.errors import Overloaded
from common.passwords import Passwords

_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def test_a_password_is_kept_as_argon2id_and_known_again() -> None:
    passwords = Passwords(_CHEAP)
    kept = passwords.hash("correct horse")

    assert kept.startswith("$argon2id$")
    assert "horse" not in kept
    assert kept != passwords.hash("correct horse")
    assert passwords.is_right("correct horse", kept)
    assert not passwords.is_right("Correct horse", kept)


def test_by_default_a_hash_costs_what_it_should() -> None:
    kept = Passwords().hash("correct horse")

    assert "$m=65536,t=3,p=4$" in kept
    assert Passwords(_CHEAP).is_dated(kept)
    assert not Passwords().is_dated(kept)


@pytest.mark.parametrize("kept", [None, "", "nonsense", "$argon2id$v=19$m=8,t=1,p=1$x$y"])
def test_what_is_no_hash_has_no_password(kept: str | None) -> None:
    assert not Passwords(_CHEAP).is_right("", kept)


class _Slow:
    """A hasher that hashes when it is let."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.begun = threading.Semaphore(0)
        self.at_once = self.most = 0
        self._lock = threading.Lock()

    def hash(self, password: str) -> str:
        with self._lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        self.begun.release()
        assert self.let.wait(10)
        with self._lock:
            self.at_once -= 1
        return password


def test_a_flood_takes_neither_the_processor_nor_the_threads() -> None:
    slow = _Slow()
    hasher: Any = slow
    passwords = Passwords(hasher, at_once=2, waiting=1, patience_seconds=10)
    threads = [threading.Thread(target=passwords.hash, args=("x",)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        assert slow.begun.acquire(timeout=10)
    while passwords._places._value:  # the third has come in
        pass

    for _ in range(20):
        with pytest.raises(Overloaded):
            passwords.hash("y")

    slow.let.set()
    for thread in threads:
        thread.join(10)
    assert slow.most == 2
    assert passwords.hash("z") == "z"


def test_who_waits_for_too_long_is_refused() -> None:
    slow = _Slow()
    hasher: Any = slow
    passwords = Passwords(hasher, at_once=1, waiting=1, patience_seconds=0.01)
    thread = threading.Thread(target=passwords.hash, args=("x",))
    thread.start()
    assert slow.begun.acquire(timeout=10)

    with pytest.raises(Overloaded):
        passwords.hash("y")

    slow.let.set()
    thread.join(10)
