"""What users do meanwhile: sessions with all kinds of turns, each watched by subscribers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Final

from tests.chaos.storm.rest import Json, Rest, Unanswered
from tests.chaos.storm.subscriber import Recording, Subscriber

_TOOLS: Final = ("act_pure", "act_idempotent", "act_at_most_once", "act_reconcile")
_DEFINITIONS: Final = (
    {
        "type": "client_side",
        "name": "look_up",
        "description": "Looks something up",
        "parameters": {"type": "object"},
    },
    {"type": "builtin", "name": "act_guarded", "policy": "requires_approval"},
)


class TurnKind(StrEnum):
    """What a turn is to show."""

    PLAIN = "plain"
    TOOLS = "tools"
    CLIENT_TOOL = "client's tool"
    APPROVAL = "approval"
    STEERED = "steered"
    CANCELLED = "cancelled"
    FAILING = "provider error"


_KINDS: Final = (*TurnKind, TurnKind.PLAIN, TurnKind.TOOLS, TurnKind.TOOLS)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that the API said it has.

    Attributes:
        text: what the model was told to answer.
        is_last: whether no message was sent while its turn ran.
    """

    session_id: str
    message_id: str
    kind: TurnKind
    text: str
    is_last: bool


@dataclass
class Evidence:
    """What clients saw; the checker holds it against what the system has."""

    accepted: list[Accepted] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)
    requests_failed: int = 0
    unanswered: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the system is reached."""

    api: Sequence[int]
    stream: Sequence[int]


class Talker:
    """One user after the other, on a thread of its own."""

    def __init__(
        self, number: int, seed: int, places: Places, evidence: Evidence, *, patience: float
    ) -> None:
        self._chance = Random(f"{seed} talker {number}")  # noqa: S311 - to be repeated
        self._places = places
        self._evidence = evidence
        self._patience = patience
        self._rest = Rest(places.api, self._chance)
        self._stop = threading.Event()
        self._subscribers: list[Subscriber] = []
        self._thread = threading.Thread(target=self._run, name=f"talker-{number}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin no other turn."""
        self._stop.set()

    @property
    def is_talking(self) -> bool:
        return self._thread.is_alive()

    def end(self, seconds: float) -> None:
        """Let the subscribers come to their ends within that time."""
        self._evidence.requests_failed += self._rest.failed_requests
        for subscriber in self._subscribers:
            subscriber.end(seconds)

    # --- the thread --------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._talk()
            except Unanswered as unanswered:
                self._evidence.unanswered.append(str(unanswered))

    def _talk(self) -> None:
        body = {"capabilities": ["noop"], "tools": list(_DEFINITIONS)}
        reply = self._rest.post("/sessions", body)
        if not reply.is_good:
            self._evidence.refused.append(f"session: {reply}")
            return
        session_id = str(reply.body["id"])
        self._evidence.sessions.append(session_id)
        watching = [
            self._subscribe(session_id, is_slow=number > 0)
            for number in range(self._chance.choice((1, 1, 2)))
        ]
        try:
            talk = _Talk(session_id, watching[0], self._rest, self._chance, self._evidence)
            for _ in range(self._chance.randint(2, 8)):
                if self._stop.is_set() or not talk.turn(self._patience):
                    break
        finally:
            for subscriber in watching:
                subscriber.leave()

    def _subscribe(self, session_id: str, *, is_slow: bool) -> Subscriber:
        seed = self._chance.getrandbits(64)
        chance = Random(seed)  # noqa: S311 - to be repeated
        rest = Rest(self._places.api, chance)
        made = Subscriber(session_id, self._places.stream, rest, chance, is_slow=is_slow)
        self._subscribers.append(made)
        self._evidence.recordings.append(made.recording)
        return made


class _Talk:
    """One session's turns, one after the other."""

    def __init__(
        self,
        session_id: str,
        watching: Subscriber,
        rest: Rest,
        chance: Random,
        evidence: Evidence,
    ) -> None:
        self._session_id = session_id
        self._watching = watching
        self._rest = rest
        self._chance = chance
        self._evidence = evidence
        self._heard = 0

    def turn(self, patience: float) -> bool:
        """One more turn; whether it ended within that time."""
        kind = self._chance.choice(_KINDS)
        text = f"{self._chance.getrandbits(32):08x} " + "word " * self._chance.randint(3, 25) + "."
        if not self._say(kind, text, patience, is_last=kind is not TurnKind.STEERED):
            return False
        match kind:
            case TurnKind.STEERED:
                self._wait(self._chance.uniform(0.0, 1.0))
                if not self._say(kind, f"{text} indeed.", patience, is_last=True):
                    return False
            case TurnKind.CANCELLED:
                self._wait(self._chance.uniform(0.0, 1.0))
                self._rest.post(f"/sessions/{self._session_id}/cancel", {})
            case TurnKind.CLIENT_TOOL | TurnKind.APPROVAL:
                self._answer_calls(kind, patience)
            case _:
                pass
        return self._follow(lambda event: event["type"] == "session.idled", patience)

    def _say(self, kind: TurnKind, text: str, patience: float, *, is_last: bool) -> bool:
        """Send a message; whether it is there, and was seen to be."""
        body = {
            "message": {
                "content": [{"type": "text", "text": "Go"}],
                "controls": {"hints": {"llmsim": self._model(kind, text)}},
            }
        }
        reply = self._rest.post(f"/sessions/{self._session_id}/messages", body)
        if not reply.is_good:
            self._evidence.refused.append(f"message: {reply}")
            return False
        message_id = str(reply.body["id"])
        said = Accepted(self._session_id, message_id, kind, text, is_last)
        self._evidence.accepted.append(said)

        def is_it(event: Json) -> bool:
            data: Json = event["data"]
            return event["type"] == "input.message" and bool(data["message"]["id"] == message_id)

        return self._follow(is_it, patience)

    def _model(self, kind: TurnKind, text: str) -> Json:
        model: Json = {
            "response": {"type": "fixed", "text": text},
            "tokens_per_second": self._chance.choice((0, 15, 60, 200)),
        }
        match kind:
            case TurnKind.TOOLS:
                model["tool_calls"] = _calls(
                    *self._chance.sample(_TOOLS, self._chance.choice((1, 1, 2)))
                )
            case TurnKind.CLIENT_TOOL:
                model["tool_calls"] = _calls("look_up")
            case TurnKind.APPROVAL:
                model["tool_calls"] = _calls("act_guarded")
            case TurnKind.FAILING:
                model["response"] = self._failure(text)
            case _:
                pass
        return model

    def _failure(self, text: str) -> Json:
        failure: Json = {"type": "error", "kind": "provider_unavailable", "text": text}
        failure["retry_after_seconds"] = 0.1
        if self._chance.random() < 0.5:
            failure["fail_times"] = self._chance.choice((1, 2))
        return failure

    def _answer_calls(self, kind: TurnKind, patience: float) -> None:
        asked = "tool.call_requested"
        if kind is TurnKind.APPROVAL:
            asked = "tool.approval_requested"
        if not self._follow(lambda event: event["type"] in (asked, "session.idled"), patience):
            return
        event = self._watching.event_before(self._heard)
        if event["type"] != asked:
            self._heard -= 1  # the session's end is waited for once more
            return
        if self._chance.random() < 0.1:
            return  # the deadline answers
        ids = [call["id"] for call in event["data"]["tool_calls"]]
        if kind is TurnKind.CLIENT_TOOL:
            results = [{"tool_call_id": call_id, "result": "found"} for call_id in ids]
            path, body = "tool-results", {"tool_results": results}
        else:
            said = self._chance.choice(("allow", "allow", "reject"))
            decisions = [{"tool_call_id": call_id, "decision": said} for call_id in ids]
            path, body = "tool-approvals", {"decisions": decisions}
        # 409 when the deadline was faster.
        self._rest.post(f"/sessions/{self._session_id}/{path}", body)

    def _follow(self, is_it: Callable[[Json], bool], patience: float) -> bool:
        place = self._watching.wait_for(is_it, since=self._heard, seconds=patience)
        if place is not None:
            self._heard = place
        return place is not None

    def _wait(self, seconds: float) -> None:
        threading.Event().wait(seconds)


def _calls(*names: str) -> Json:
    return {"type": "fixed", "tool_calls": [{"name": name, "arguments": {}} for name in names]}
