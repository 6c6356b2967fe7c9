"""The vocabulary of a turn: what happened (facts), where it stands (state), what to do (commands).

A turn's state is the fold of its facts, and its facts are its events in the log plus
the session's user messages; so any worker arrives at the same state (I4).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from common.domain.events import NO_USAGE, Usage
from common.domain.turn import ToolCall
from worker.turn.act_state import Acting

# --- facts -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MessageArrived:
    """A user message was stored; no reason step has read it yet."""


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The turn has begun and its configuration is pinned."""


@dataclass(frozen=True, slots=True)
class ReasonStarted:
    """A reason step has begun; it reads every message before this fact."""


@dataclass(frozen=True, slots=True)
class ReplyOpened:
    """The text stream of the step's answer is open."""


@dataclass(frozen=True, slots=True)
class ReasonRecovered:
    """A lost worker's model call is given up; a new stream follows."""


@dataclass(frozen=True, slots=True)
class Replied:
    """The model's answer is in the log."""

    calls: tuple[ToolCall, ...] = ()
    usage: Usage = NO_USAGE


@dataclass(frozen=True, slots=True)
class ReasonEnded:
    """The reason step is over; `failure` names why it gave no answer."""

    failure: str | None = None


@dataclass(frozen=True, slots=True)
class ActStarted:
    """The tool calls of the last answer are being run; what kind each is, is settled here.

    Attributes:
        client: calls that the client makes.
        guarded: calls that a person must allow first.
        refused: calls of tools that a person has rejected once and for all.
    """

    client: frozenset[str] = frozenset()
    guarded: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A tool call is about to be made, or is being made (I5)."""

    call_id: str
    may_repeat: bool


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A tool call has its one result, whatever it is."""

    call_id: str


@dataclass(frozen=True, slots=True)
class CallsRequested:
    """The client was asked to make these calls; the turn waits for their results."""

    call_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class ApprovalRequested:
    """A person was asked to allow these calls; the turn waits for the decisions."""

    call_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class ApprovalResolved:
    """A call was decided on; one that is rejected has its result next."""

    call_id: str
    is_allowed: bool


@dataclass(frozen=True, slots=True)
class ActEnded:
    """Every call of the batch has its result."""


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The terminal event; there is exactly one."""


@dataclass(frozen=True, slots=True)
class NoticeShown:
    """A message of ours, not of the model, that explains how the turn ended."""


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """Seen by a worker that takes over: what was under way no longer is.  Not stored."""


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Workers were lost too often without progress.  Not stored: the claim counts."""


Fact = (
    MessageArrived
    | TurnStarted
    | ReasonStarted
    | ReplyOpened
    | ReasonRecovered
    | Replied
    | ReasonEnded
    | ActStarted
    | CallStarted
    | CallEnded
    | CallsRequested
    | ApprovalRequested
    | ApprovalResolved
    | ActEnded
    | TurnEnded
    | NoticeShown
    | WorkerLost
    | Exhausted
)

# --- where a turn stands -----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opening:
    """Nothing of the turn is in the log."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Between steps: the next thing is to reason."""


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A model call is under way, or was, when interrupted.

    Attributes:
        is_open: whether the answer's text stream is; it opens late when the model thinks first.
    """

    is_open: bool = False
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer is in the log; `closed` once its reason step is too."""

    calls: tuple[ToolCall, ...]
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The reason step failed."""

    failure: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The terminal event is in the log."""


Step = Opening | Ready | Reasoning | Answered | Unanswered | Acting | Ended


@dataclass(frozen=True, slots=True)
class Limits:
    """What the turn's pinned configuration allows."""

    max_iterations: int = 100
    parallel_calls: int = 32


@dataclass(frozen=True, slots=True)
class TurnState:
    """Everything that decides what the turn does next.

    Attributes:
        unread: whether a user message waits for a reason step.
        iterations: reason steps begun.
        exhausted: no further attempt is to be made.
    """

    limits: Limits = field(default_factory=Limits)
    step: Step = field(default_factory=Opening)
    unread: bool = False
    iterations: int = 0
    usage: Usage = NO_USAGE
    llm_calls: int = 0
    tool_calls: int = 0
    exhausted: bool = False


# --- commands ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StartTurn:
    """Say that the turn and the session's activity have begun."""


@dataclass(frozen=True, slots=True)
class StartReason:
    """Begin a reason step; its text stream opens with it, or after the thinking."""


@dataclass(frozen=True, slots=True)
class RecoverReason:
    """Give the lost call's stream up and open a new one."""


@dataclass(frozen=True, slots=True)
class CallModel:
    """Effect: ask the model, streaming its text."""


@dataclass(frozen=True, slots=True)
class StartAct:
    """Say that these tool calls are going to be run."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class StartCalls:
    """Record that these calls are about to be made."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class RunCalls:
    """Effect: have these calls run, and wait for at least one result.

    Attributes:
        repeated: ids of those that a lost worker may have made already.
    """

    calls: tuple[ToolCall, ...]
    repeated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RecordInterrupted:
    """Give these calls the result that their outcome is unknown."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class RejectCalls:
    """Give these calls the result that a person has rejected their tool."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class CancelCalls:
    """Give these calls the result that a newer message came before anybody was asked."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class AskApproval:
    """Ask a person to allow these calls, and let the turn wait."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class RequestCalls:
    """Ask the client to make these calls, and let the turn wait."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is to be done until somebody outside has answered; no worker is needed."""


@dataclass(frozen=True, slots=True)
class FinishAct:
    """Say that all calls of the batch have results."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class CompleteTurn:
    """End the turn well; `queue_next` when unread messages need a turn of their own."""

    queue_next: bool = False


@dataclass(frozen=True, slots=True)
class FailTurn:
    """End the turn with `turn.failed`; `failure` is an LLM failure's fine reason, if any."""

    code: str
    failure: str | None = None
    queue_next: bool = False


@dataclass(frozen=True, slots=True)
class SealTurn:
    """End a turn that keeps losing its workers."""

    queue_next: bool = False


Effect = CallModel | RunCalls
Suspending = AskApproval | RequestCalls
Narration = (
    StartTurn
    | StartReason
    | RecoverReason
    | StartAct
    | StartCalls
    | RecordInterrupted
    | RejectCalls
    | CancelCalls
    | Suspending
    | FinishAct
)
Ending = CompleteTurn | FailTurn | SealTurn
Command = Effect | Narration | Ending | Wait
