"""What the storage of one session has to do, in a few lines: the model it is held against."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

LOST = "lease lost"
NEWER = "new input"


@dataclass
class Turn:
    """A turn's row, as far as it matters; `pending` are the calls that it waits for."""

    input_sequence: int
    status: str = "queued"
    epoch: int = 0
    attempt: int = 0
    reclaims: int = 0
    handed_over: bool = False
    pending: list[str] = field(default_factory=list)


@dataclass
class Session:
    """A session: its head, its log as types, its turns."""

    log: list[str] = field(default_factory=list)
    epoch: int = 0
    status: str = "started"
    open_turn: UUID | None = None
    last_input: int = 0
    turns: dict[UUID, Turn] = field(default_factory=dict)

    def append(self, *kinds: str) -> int:
        """Returns the last number."""
        self.log += kinds
        return len(self.log)

    def refusal(self, epoch: int, seen: int | None) -> str | None:
        """Why a writer may not append, if so."""
        if epoch != self.epoch:
            return LOST
        if seen is not None and self.last_input > seen:
            return NEWER
        return None

    @property
    def waiting(self) -> Turn | None:
        """The turn that waits, if one does."""
        turn = None if self.open_turn is None else self.turns[self.open_turn]
        return turn if turn is not None and turn.status == "waiting" else None

    def first_input_after(self, sequence: int) -> int:
        return next(
            number
            for number, kind in enumerate(self.log, 1)
            if number > sequence and kind == "input.message"
        )

    def post(self, turn_id: UUID) -> tuple[int, bool]:
        sequence = self.last_input = self.append("input.message")
        opens = self.open_turn is None
        if opens:
            self.open_turn = turn_id
            self.turns[turn_id] = Turn(self.last_input)
        if self.waiting is not None:
            self.answer(len(self.waiting.pending))
        return sequence, opens

    def claim(self, turn_id: UUID) -> tuple[int, int, int, int] | None:
        turn = self.turns.get(turn_id)
        if turn is None or turn.status != "queued":
            return None
        self.epoch += 1
        turn.reclaims += turn.attempt > 0 and not turn.handed_over
        turn.attempt += 1
        turn.handed_over = False
        turn.status, turn.epoch = "running", self.epoch
        return self.epoch, turn.attempt, turn.reclaims, turn.input_sequence

    def answer(self, number: int) -> tuple[int, bool] | None:
        """So many of the calls that are waited for get their results."""
        turn = self.waiting
        if turn is None:
            return None
        given, turn.pending = turn.pending[:number], turn.pending[number:]
        self.append(*["tool.completed"] * len(given))
        is_complete = not turn.pending
        if is_complete:
            self.status = "active"
            turn.reclaims = 0
            self._queue_again(turn, handed_over=True)
        return len(given), is_complete

    def take_back(self) -> bool:
        """The open turn's lease runs out."""
        turn = None if self.open_turn is None else self.turns[self.open_turn]
        if turn is None or turn.status != "running":
            return False
        self._queue_again(turn, handed_over=turn.handed_over)
        return True

    def hand_over(self, turn_id: UUID) -> None:
        turn = self.turns[turn_id]
        if turn.status == "running":
            self._queue_again(turn, handed_over=True)
        else:
            self.epoch += 1

    def end(self, turn_id: UUID, status: str) -> None:
        turn = self.turns[turn_id]
        if turn.status in ("queued", "running", "waiting"):
            turn.status, turn.pending = status, []

    def _queue_again(self, turn: Turn, *, handed_over: bool) -> None:
        self.epoch += 1
        turn.status, turn.epoch, turn.handed_over = "queued", self.epoch, handed_over
