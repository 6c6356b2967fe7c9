"""Streams what the simulated model answers, as fast or as slow as it is told to."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Final

from worker.llm.driver import (
    Endpoint,
    FailureReason,
    ImageLimits,
    LLMFailure,
    LLMRequest,
    Stop,
    Streamed,
    TextDelta,
    ThinkingDelta,
)
from worker.llm.llmsim.answer import CHARACTERS_PER_TOKEN, Answer, answer_to
from worker.llm.llmsim.json_reader import InvalidSimulation
from worker.llm.llmsim.settings import Simulation, parse_simulation

# A word with the space before it; what has no spaces goes out in pieces as well.
_CHUNK: Final = re.compile(r"\s{0,16}\S{1,16}|\s{1,16}")

_MILLISECONDS: Final = 1000


class SimulatedModel:
    """An `LLMDriver` that needs no provider; keeps nothing from one call to the next."""

    image_limits = ImageLimits()

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic

    def stream(self, request: LLMRequest, *, stop: Stop) -> Generator[Streamed, None, None]:
        """Yield the answer word by word; `request.settings` is the llmsim object.

        Raises:
            LLMFailure: as the settings say, or because they are wrong.
        """
        pace = _Pace.starting_at(self._monotonic(), _simulation(request))
        answer = answer_to(request, pace.simulation)
        sent_characters = 0
        for piece in _pieces(answer):
            if self._is_stopped(stop, until=pace.due(sent_characters)):
                return
            sent_characters += len(piece.text)
            yield piece
        if self._is_stopped(stop, until=pace.due(sent_characters)):
            return
        if isinstance(answer.end, LLMFailure):
            raise answer.end
        yield answer.end()

    def _is_stopped(self, stop: Stop, *, until: float) -> bool:
        """Wait for a moment of the monotonic clock; True as soon as the call must end."""
        left_seconds = until - self._monotonic()
        return stop.wait(left_seconds) if left_seconds > 0 else stop.is_set()


def make_driver(_endpoint: Endpoint) -> SimulatedModel:
    """It is in this process, whatever the endpoint says."""
    return SimulatedModel()


def _pieces(answer: Answer) -> Iterator[ThinkingDelta | TextDelta]:
    for word in _CHUNK.finditer(answer.thinking):
        yield ThinkingDelta(word.group())
    for word in _CHUNK.finditer(answer.text):
        yield TextDelta(word.group())


def _simulation(request: LLMRequest) -> Simulation:
    try:
        return parse_simulation(request.settings)
    except InvalidSimulation as wrong:
        raise LLMFailure(FailureReason.MISCONFIGURED, str(wrong)) from wrong


@dataclass(frozen=True, slots=True)
class _Pace:
    """When each part is due: counted from the start, so that waits do not add up errors."""

    first_token_at: float
    simulation: Simulation

    @classmethod
    def starting_at(cls, started_at: float, simulation: Simulation) -> _Pace:
        return cls(started_at + simulation.first_token_delay_ms / _MILLISECONDS, simulation)

    def due(self, sent_characters: int) -> float:
        speed = self.simulation.tokens_per_second
        if speed == 0:
            return self.first_token_at
        return self.first_token_at + sent_characters / CHARACTERS_PER_TOKEN / speed
