"""What the api and a worker do to a session, step by step: commit, then tell."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text

from common.clock import new_id
from common.domain.events import EventDraft, EventType
from common.domain.ids import (
    ANONYMOUS_PRINCIPAL,
    DEFAULT_ORGANIZATION,
    GENERIC_HARNESS,
    Kind,
    show_id,
)
from common.domain.turn import SessionStatus, TurnStatus
from common.event_codec import LoggedEvent
from common.live import Live, TextChunk
from common.storage import log, turns
from common.storage.engine import Database
from common.storage.log import Fence, HeadChange
from worker.text_stream import TextStream


@dataclass
class Author:
    """Writes one session.  `is_telling` off is a publisher whose Redis is away."""

    database: Database
    live: Live
    organization_id: UUID = DEFAULT_ORGANIZATION
    session_id: UUID = field(default_factory=new_id)
    is_telling: bool = True
    turn_id: UUID | None = None
    message_id: UUID = field(default_factory=new_id)
    said: str = ""
    stream: TextStream = field(init=False)

    def __post_init__(self) -> None:
        with self.database.transaction() as tx:
            tx.execute(
                text(
                    "INSERT INTO sessions (id, organization_id, harness_id, workspace_id,"
                    " owner_principal_id) VALUES (:id, :organization, :harness, :id, :owner)"
                ),
                {
                    "id": self.session_id,
                    "organization": self.organization_id,
                    "harness": GENERIC_HARNESS,
                    "owner": ANONYMOUS_PRINCIPAL,
                },
            )
            tx.execute(
                text("INSERT INTO session_heads (session_id) VALUES (:id)"),
                {"id": self.session_id},
            )
        self.append([EventDraft(EventType.SESSION_STARTED, {"harness_id": "harness_x"})])

    @property
    def shown_id(self) -> str:
        return show_id(Kind.SESSION, self.session_id)

    @property
    def context(self) -> dict[str, Any]:
        assert self.turn_id is not None
        return {"turn_id": show_id(Kind.TURN, self.turn_id), "input_message_id": "m"}

    def post(self, words: str) -> LoggedEvent:
        turn_id = new_id()
        message = {
            "id": str(new_id()),
            "role": "user",
            "content": [{"type": "text", "text": words}],
        }
        draft = EventDraft(EventType.INPUT_MESSAGE, {"message": message})
        with self.database.transaction() as tx:
            stored = log.append_input(
                tx, self.organization_id, self.session_id, draft, turn_id=turn_id
            )
            assert stored is not None
            head, event = stored
            self.turn_id = head.open_turn_id
        self.tell([event])
        return event

    def start(self) -> None:
        """A claimed turn up to its first opener."""
        self.open(EventType.TURN_STARTED, EventType.SESSION_ACTIVATED, EventType.REASON_STARTED)

    def reclaim(self) -> None:
        """Another worker goes on: a new stream supersedes the one before."""
        self.open(EventType.REASON_RECOVERED)

    def open(self, *before: EventType) -> None:
        self.message_id, self.said = new_id(), ""
        data = {"turn_id": self.context["turn_id"], "message_id": str(self.message_id)}
        drafts = [EventDraft(kind, {"turn_id": data["turn_id"]}, self.context) for kind in before]
        opener = EventDraft(EventType.OUTPUT_STARTED, {**data, "iteration": 1}, self.context)
        events = self.append([*drafts, opener], status=SessionStatus.ACTIVE)
        self.stream = TextStream(self.session_id, events[-1].sequence)

    def start_thinking(self) -> None:
        """A claimed turn up to the opener of its thinking."""
        kinds = (EventType.TURN_STARTED, EventType.SESSION_ACTIVATED, EventType.REASON_STARTED)
        turn_id = self.context["turn_id"]
        drafts = [EventDraft(kind, {"turn_id": turn_id}, self.context) for kind in kinds]
        opener = EventDraft(
            EventType.THINKING_STARTED, {"turn_id": turn_id, "model": "m"}, self.context
        )
        events = self.append([*drafts, opener], status=SessionStatus.ACTIVE)
        self.said, self.stream = "", TextStream(self.session_id, events[-1].sequence)

    def end_thinking(self, rest: str = "", *, is_tail_pushed: bool = True) -> None:
        """Its end and the opener of the answer, in one transaction as the worker has it."""
        self.said += rest
        self.stream.add(rest)
        thought = self.thought(self.said, stream_sequence=self.stream.opener)
        tail = self.stream.pending() if is_tail_pushed else None
        self.message_id, self.said = new_id(), ""
        data = {"turn_id": self.context["turn_id"], "message_id": str(self.message_id)}
        opener = EventDraft(EventType.OUTPUT_STARTED, {**data, "iteration": 1}, self.context)
        events = self.append([thought, opener], tail=tail)
        self.stream = TextStream(self.session_id, events[-1].sequence)

    def thought(self, words: str, **context: Any) -> EventDraft:
        data = {"turn_id": self.context["turn_id"], "thinking": words}
        return EventDraft(EventType.THINKING_COMPLETED, data, {**self.context, **context})

    def say(self, words: str) -> None:
        """Stream more of the answer."""
        self.said += words
        self.stream.add(words)
        while self.is_telling and (chunk := self.stream.pending()) is not None:
            lengths = self.live.push_text([chunk])
            if lengths is None:
                return
            self.stream.pushed(chunk, lengths[0])

    def complete(self, rest: str = "", *, is_tail_pushed: bool = True) -> list[LoggedEvent]:
        """The end of the answer and of the turn."""
        self.said += rest
        self.stream.add(rest)
        tail = self.stream.pending() if is_tail_pushed else None
        completed = self.message(self.said, stream_sequence=self.stream.opener)
        return self.end([completed], EventType.TURN_COMPLETED, TurnStatus.COMPLETED, tail=tail)

    def fail(self, apology: str = "Sorry.") -> list[LoggedEvent]:
        failed = EventDraft(
            EventType.TURN_FAILED, {**self.context, "error_code": "llm_error"}, self.context
        )
        return self.end([failed, self.message(apology)], None, TurnStatus.FAILED)

    def end(
        self,
        drafts: Sequence[EventDraft],
        terminal: EventType | None,
        status: TurnStatus,
        *,
        tail: TextChunk | None = None,
    ) -> list[LoggedEvent]:
        assert self.turn_id is not None
        turn_id = self.turn_id
        kinds = [kind for kind in (terminal, EventType.SESSION_IDLED) if kind is not None]
        ending = [EventDraft(kind, dict(self.context), self.context) for kind in kinds]
        return self.append(
            [*drafts, *ending], status=SessionStatus.IDLE, ends=(turn_id, status), tail=tail
        )

    def message(self, words: str, **context: Any) -> EventDraft:
        shown = {
            "id": str(self.message_id),
            "role": "agent",
            "content": [{"type": "text", "text": words}],
        }
        return EventDraft(
            EventType.OUTPUT_COMPLETED, {"message": shown}, {**self.context, **context}
        )

    def title(self, words: str) -> LoggedEvent:
        """An event that belongs to no turn."""
        return self.append([EventDraft(EventType.SESSION_TITLE_UPDATED, {"title": words})])[0]

    def delete(self) -> None:
        with self.database.transaction() as tx:
            tx.execute(
                text("UPDATE sessions SET deleted_at = now() WHERE id = :id"),
                {"id": self.session_id},
            )
        if self.is_telling:
            self.live.publish_gone(self.session_id)

    def age_turns(self, seconds: float) -> None:
        """As if the ended turns had ended that much earlier."""
        with self.database.transaction() as tx:
            tx.execute(
                text(
                    "UPDATE turns SET ended_at = ended_at - make_interval(secs => :age)"
                    " WHERE session_id = :id"
                ),
                {"id": self.session_id, "age": seconds},
            )

    def append(
        self,
        drafts: Sequence[EventDraft],
        *,
        status: SessionStatus | None = None,
        ends: tuple[UUID, TurnStatus] | None = None,
        tail: TextChunk | None = None,
    ) -> list[LoggedEvent]:
        with self.database.transaction() as tx:
            head = log.look(tx, self.session_id)
            assert head is not None
            change = HeadChange(status=status, sets_open_turn=ends is not None)
            _, events = log.append(
                tx, self.session_id, drafts, fence=Fence(head.epoch), change=change
            )
            if ends is not None:
                turns.end(tx, ends[0], ends[1])
        self.tell(events, tail=tail)
        return events

    def tell(self, events: Sequence[LoggedEvent], *, tail: TextChunk | None = None) -> None:
        if self.is_telling:
            self.live.publish(self.session_id, events, tail=tail)

    def log(self) -> list[LoggedEvent]:
        with self.database.reading() as tx:
            return list(log.read_all(tx, self.session_id, 0))
