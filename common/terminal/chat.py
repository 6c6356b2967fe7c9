"""`everturn chat`: talk to an agent in a terminal, or send it one message from a script.

A turn is watched from the event before its message, so nothing of it is missed however often
the connection drops.  Ctrl-C during a turn cancels it, a second one leaves.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TextIO
from urllib.parse import quote

from common.terminal.events import Events, SessionGone
from common.terminal.screen import Screen, shown
from common.terminal.server import Json, Refused, Server, Unreachable

_BAD_ENDINGS: Final = frozenset({"turn.failed", "turn.cancelled", "turn.sealed"})
_DECISIONS: Final = {
    "y": "allow",
    "yes": "allow",
    "n": "reject",
    "no": "reject",
    "a": "allow_always",
    "always": "allow_always",
    "v": "reject_always",
    "never": "reject_always",
}
# What a session says that its turn waits for, and the event that said so.
_WAITS: Final = {
    "tool.approval_requested": "pending_approvals",
    "tool.call_requested": "pending_tool_calls",
}
_NOT_HERE: Final = "This client cannot run the tool"
_INTERRUPTED: Final = 130
_HELP: Final = "/quit or Ctrl-D leaves, /id shows the session's id; Ctrl-C stops an answer"


@dataclass
class _Watched:
    """How far a turn has been seen; with `message_id` None any turn."""

    message_id: str | None = None
    status: int = 0

    def ends_with(self, event: Json) -> bool:
        """Take note of an event; True when it is the last one."""
        kind = event["type"]
        if kind == "input.message" and event["data"]["message"]["id"] == self.message_id:
            self.message_id = None
        if kind in _BAD_ENDINGS:
            self.status = 1
        return bool(kind == "session.idled" and self.message_id is None)


@dataclass
class Chat:
    """One conversation.

    Attributes:
        ask: reads a line from the person; raises EOFError when there is nobody.
        approve: what is said to calls that must be allowed: `ask`, `allow` or `reject`.
        raw: writes each event as a line of JSON instead of showing it.
    """

    server: Server
    screen: Screen
    ask: Callable[[str], str]
    approve: str = "ask"
    raw: TextIO | None = None
    session_id: str = ""
    cursor: str = "0"

    def open(self, *, session_id: str | None, agent: str | None) -> None:
        """Begin a session, or go on with one; what was said in it is not shown again."""
        if session_id is None:
            session = self.server.post("/sessions", {} if agent is None else _named(agent))
            self.session_id = str(session["id"])
            return
        path = f"/sessions/{quote(session_id, safe='')}"
        # In this order: a turn that ends in between does so after the cursor.
        newest = self.server.get(f"{path}/events", limit=1)["data"]
        session = self.server.get(path)
        self.session_id = str(session["id"])
        self.cursor = newest[-1]["id"] if newest else "0"
        if session["status"] not in ("started", "idle"):
            self._go_on(session)

    def _go_on(self, session: Json) -> None:
        """Show the end of the turn that is under way, and answer what it waits for."""
        for kind, calls in _WAITS.items():
            pending = [{**call, "id": call["tool_call_id"]} for call in session.get(calls) or []]
            if pending:
                self._answer({"type": kind, "data": {"tool_calls": pending}})
        self._watch(_Watched())

    def converse(self) -> int:
        """Question and answer until the person leaves."""
        self.screen.note(f"{self.session_id}: {_HELP}")
        while True:
            try:
                words = self.ask(self.screen.prompt("you")).strip()
            except (EOFError, KeyboardInterrupt):
                self.screen.note("")
                return 0
            if words in ("/quit", "/exit"):
                return 0
            if words == "/id":
                self.screen.note(self.session_id)
            elif words in ("/help", "/?"):
                self.screen.note(_HELP)
            elif words:
                with _survived(self.screen):
                    self.say(words)

    def say(self, words: str) -> int:
        """Send a message and show its turn to the end; 1 when it did not complete."""
        content = [{"type": "text", "text": words}]
        path = f"/sessions/{self.session_id}/messages"
        message = self.server.post(path, {"message": {"content": content}})
        return self._watch(_Watched(str(message["id"])))

    def _watch(self, watched: _Watched) -> int:
        """Show what happens until it is over; Ctrl-C cancels the turn, whose end is then shown."""
        is_cancelled = False
        while True:
            try:
                return self._follow(watched)
            except KeyboardInterrupt:
                if is_cancelled:
                    raise
                is_cancelled = True
                self.screen.note("cancelling; once more to leave")
                self.server.post(f"/sessions/{self.session_id}/cancel")

    def _follow(self, watched: _Watched) -> int:
        for event in Events(self.server, self.session_id, since=self.cursor, on_loss=self._lost):
            self._show(event)
            self.cursor = event["id"]
            if watched.ends_with(event):
                break
            self._answer(event)
        return watched.status

    def _show(self, event: Json) -> None:
        if self.raw is None:
            self.screen.show(event)
        else:
            self.raw.write(json.dumps(event, ensure_ascii=False) + "\n")
            self.raw.flush()

    def _lost(self, words: str) -> None:
        self.screen.note(f"{words}; connecting again")

    # --- when the turn waits for somebody -------------------------------------------------

    def _answer(self, event: Json) -> None:
        """Answer what the turn waits for; whoever else did so first is right."""
        try:
            if event["type"] == "tool.approval_requested":
                decisions = [self._decision(call) for call in event["data"]["tool_calls"]]
                path = f"/sessions/{self.session_id}/tool-approvals"
                self.server.post(path, {"decisions": decisions})
            elif event["type"] == "tool.call_requested":
                results = [self._result(call) for call in event["data"]["tool_calls"]]
                path = f"/sessions/{self.session_id}/tool-results"
                self.server.post(path, {"tool_results": results})
        except Refused as refused:
            self.screen.note(f"not accepted: {refused}")

    def _decision(self, call: Json) -> Json:
        decision = {"allow": "allow", "reject": "reject"}.get(self.approve)
        question = f"allow {call['name']} {shown(call['arguments'])}? [y]es [n]o [a]lways ne[v]er"
        while decision is None:
            try:
                decision = _DECISIONS.get(self.ask(self.screen.prompt(question)).strip().lower())
            except EOFError:
                decision = "reject"
        return {"tool_call_id": call["id"], "decision": decision}

    def _result(self, call: Json) -> Json:
        """What the person says that the tool gave: JSON, or text."""
        question = f"result of {call['name']} {shown(call['arguments'])} (empty: none)"
        try:
            words = self.ask(self.screen.prompt(question)).strip()
        except EOFError:
            words = ""
        if not words:
            return {"tool_call_id": call["id"], "error": _NOT_HERE}
        try:
            return {"tool_call_id": call["id"], "result": json.loads(words)}
        except ValueError:
            return {"tool_call_id": call["id"], "result": words}


def run(server: Server, given: argparse.Namespace, *, is_colourful: bool) -> int:
    """What `everturn chat` does once its arguments and settings are read."""
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty() and not given.json
    screen = Screen(sys.stdout, sys.stderr, is_terminal, is_colourful and is_terminal)
    words = " ".join(given.message) or ("" if is_terminal else sys.stdin.read())
    chat = Chat(
        server,
        screen,
        ask=_typed if is_terminal else _nobody,
        approve=given.approve,
        raw=sys.stdout if given.json else None,
    )
    if not is_terminal and not words.strip():
        sys.stderr.write("everturn chat: there is no message: give one, or write it to its input\n")
        return 2
    try:
        chat.open(session_id=given.session, agent=given.agent)
        return chat.say(words) if words.strip() else chat.converse()
    except KeyboardInterrupt:
        screen.end_line()
        return _INTERRUPTED
    finally:
        if not is_terminal and chat.session_id and not given.session:
            sys.stderr.write(f"go on with --session {chat.session_id}\n")


@contextlib.contextmanager
def _survived(screen: Screen) -> Iterator[None]:
    """Tell what went wrong and let the person try again."""
    try:
        yield
    except SessionGone:
        raise
    except (Refused, Unreachable) as failure:
        screen.note(str(failure))


def _named(agent: str) -> Json:
    return {"agent_id" if agent.startswith("agent_") else "agent_name": agent}


def _typed(prompt: str) -> str:
    # Gives `input` a line editor with a history.
    import readline  # noqa: F401, PLC0415 - not on every platform's Python, and only for people

    return input(prompt)


def _nobody(_prompt: str) -> str:
    raise EOFError
