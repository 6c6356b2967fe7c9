from collections.abc import Callable
from typing import Any

from worker.consumption import Consumption


class Consumer:
    """Does at once what it is asked to do soon."""

    def __init__(self) -> None:
        self.queues = ["a", "b"]

    def call_soon(self, action: Callable[..., Any], /, *arguments: Any) -> None:
        action(*arguments)

    def add_task_queue(self, queue: str) -> None:
        self.queues.append(queue)

    def cancel_task_queue(self, queue: str) -> None:
        self.queues.remove(queue)


def test_pausing_and_resuming_may_be_repeated() -> None:
    consumption, consumer = Consumption(["a", "b"]), Consumer()
    consumption.attach(consumer)
    consumption.resume()
    assert consumer.queues == ["a", "b"]
    consumption.pause()
    consumption.pause()
    assert consumer.queues == []
    consumption.resume()
    consumption.resume()
    assert consumer.queues == ["a", "b"]


def test_a_pause_from_before_there_was_a_consumer_holds() -> None:
    consumption, consumer = Consumption(["a", "b"]), Consumer()
    consumption.pause()
    consumption.attach(consumer)
    assert consumer.queues == []
    consumption.resume()
    assert consumer.queues == ["a", "b"]
