"""Where an act stands: each call of the batch on its way to its one result.  Pure."""

from __future__ import annotations

from dataclasses import dataclass

from common.domain.turn import ToolCall


@dataclass(frozen=True, slots=True)
class Acting:
    """Tool calls are being run, allowed by a person, or made by the client.

    Attributes:
        running: started and without a result.
        repeatable: those that may be made again should their worker be lost.
        repeated: running ones that a lost worker may have made already.
        lost: started by a worker that is gone and not to be repeated.
        client: calls that the client makes; `requested` those it was asked for.
        guarded: calls that a person must allow; `asked` those that were put to one, and
            `allowed` those of them that were.
        refused: calls that a person has rejected.
    """

    calls: tuple[ToolCall, ...]
    running: frozenset[str] = frozenset()
    repeatable: frozenset[str] = frozenset()
    repeated: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    ended: frozenset[str] = frozenset()
    client: frozenset[str] = frozenset()
    requested: frozenset[str] = frozenset()
    guarded: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()

    @property
    def open(self) -> frozenset[str]:
        """Calls without a result."""
        return frozenset(call.id for call in self.calls) - self.ended

    @property
    def waiting(self) -> tuple[ToolCall, ...]:
        """Calls that may be started here and have not been."""
        barred = self.running | self.lost | self.client | self.refused
        return self.chosen(self.open - barred - (self.guarded - self.allowed))

    @property
    def to_ask(self) -> frozenset[str]:
        """Calls that a person has yet to be asked about."""
        return self.open & (self.guarded - self.asked - self.refused)

    @property
    def undecided(self) -> frozenset[str]:
        """Calls that a person was asked about and has not decided on."""
        return self.open & (self.asked - self.allowed - self.refused)

    @property
    def to_request(self) -> frozenset[str]:
        """Calls that the client has yet to be asked for."""
        barred = self.requested | self.refused | (self.guarded - self.allowed)
        return self.open & (self.client - barred)

    def chosen(self, ids: frozenset[str]) -> tuple[ToolCall, ...]:
        """These calls, in the order of the model's answer."""
        return tuple(call for call in self.calls if call.id in ids)
