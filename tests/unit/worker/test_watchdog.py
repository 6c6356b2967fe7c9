from worker.tally import Counts, Tally
from worker.watchdog import Watchdog


class Watched:
    """A watchdog with its clock and its queue, and whether it left."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.backlog: int | None = 1
        self.left = 0
        self._dog = Watchdog(
            lambda: self.backlog, self._leave, deaf_seconds=30, monotonic=lambda: self.seconds
        )

    def _leave(self) -> None:
        self.left += 1

    def look(self, counts: Counts = Counts(), *, after: float = 10, has_room: bool = True) -> None:  # noqa: B008 - frozen
        self.seconds += after
        self._dog.look(counts, has_room=has_room)


def test_a_worker_that_takes_nothing_from_a_full_queue_leaves_once() -> None:
    watched = Watched()
    for _ in range(4):
        watched.look()
        assert watched.left == 0
    watched.look()
    assert watched.left == 1
    watched.look()
    assert watched.left == 1


def test_every_turn_that_is_begun_shows_that_it_is_not_deaf() -> None:
    watched = Watched()
    for begun in range(10):
        watched.look(Counts(received=begun, begun=begun))
    assert watched.left == 0


def test_a_process_that_was_frozen_is_given_the_time_to_take_something() -> None:
    watched = Watched()
    watched.look()
    watched.look()
    watched.look(after=3600)
    assert watched.left == 0
    watched.look()
    assert watched.left == 0
    watched.look()
    assert watched.left == 1


def test_an_empty_queue_says_nothing_about_who_listens() -> None:
    watched = Watched()
    watched.backlog = 0
    for _ in range(10):
        watched.look()
    assert watched.left == 0


def test_a_broker_that_is_away_is_no_fault_of_the_worker() -> None:
    watched = Watched()
    for backlog in (1, 1, 1, None, 1, 1, 1, None):
        watched.backlog = backlog
        watched.look()
    assert watched.left == 0


def test_a_full_or_draining_worker_need_take_nothing() -> None:
    watched = Watched()
    for _ in range(10):
        watched.look(has_room=False)
    assert watched.left == 0


def test_wake_ups_that_were_taken_and_never_begun_count_as_waiting() -> None:
    watched = Watched()
    watched.backlog = 0
    for _ in range(5):
        watched.look(Counts(received=3, begun=2))
    assert watched.left == 1


def test_tasks_are_counted() -> None:
    tally = Tally()
    for _ in range(3):
        tally.received()
        tally.begun()
    tally.ended(is_run=True)
    tally.ended(is_run=False)
    assert tally.counts == Counts(received=3, begun=3, completed=1, failed=1)
    assert tally.counts.running == 1
