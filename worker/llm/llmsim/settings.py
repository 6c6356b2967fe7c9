"""What a simulated model is told to do: one JSON object, parsed into closed unions.

The same object comes from a model's row, the environment, or in development from a
message, so anything may be in it.  An option that is unknown, or that belongs to
another type, is refused: a typo must not quietly become the default behaviour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from worker.llm.driver import FailureReason
from worker.llm.llmsim.json_reader import Fields, InvalidSimulation, Place

_T = TypeVar("_T")

GREETING: Final = "Hello! I am a simulated model, so I say the same thing to everyone."
DEFAULT_ERROR: Final = "simulated failure"
DEFAULT_LOREM_TOKENS: Final = 100
DEFAULT_MALFORMED: Final = '{"half": '

# Bounds keep one message of a developer from filling a worker's memory, and every
# wait below what the operating system can count.
MAX_LOREM_TOKENS: Final = 1_000_000
MAX_DELAY_MS: Final = 3_600_000
MAX_FAIL_TIMES: Final = 100
MIN_TOKENS_PER_SECOND: Final = 0.01
MAX_TOKENS_PER_SECOND: Final = 1e9


class ErrorKind(StrEnum):
    """How a call fails; beside these, by the name of any `FailureReason`."""

    RATE_LIMIT = "rate_limit"
    TIMEOUT = "timeout"
    INVALID_RESPONSE = "invalid_response"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SimulatedFailure:
    """How a call fails.

    Attributes:
        message: None for one made from the kind.
        retry_after_seconds: the provider's wish, None for none.
        fail_times: so many attempts fail, before any text; None: all of them, after it.
    """

    kind: ErrorKind | FailureReason
    message: str | None = None
    retry_after_seconds: float | None = None
    fail_times: int | None = None


class OnExhausted(StrEnum):
    """What a script does after its last turn."""

    REPEAT_LAST = "repeat_last"
    ERROR = "error"
    LOOP = "loop"


@dataclass(frozen=True, slots=True)
class SimulatedCall:
    """A tool call to emit; without `id` one is formed from the step and the position.

    Attributes:
        malformed: what stands where JSON arguments are due.
    """

    name: str
    arguments: dict[str, Any]
    id: str | None = None
    malformed: str | None = None


@dataclass(frozen=True, slots=True)
class Echo:
    """Repeat the last user message."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always say the same."""

    text: str = GREETING


@dataclass(frozen=True, slots=True)
class Lorem:
    """Filler of a given length."""

    target_tokens: int = DEFAULT_LOREM_TOKENS


@dataclass(frozen=True, slots=True)
class TextSequence:
    """One text a reason step, over and over."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Empty:
    """Say nothing."""


@dataclass(frozen=True, slots=True)
class Failing:
    """Fail; `text` is what is said once the failure is over."""

    failure: SimulatedFailure = SimulatedFailure(FailureReason.PROCESSING_ERROR, DEFAULT_ERROR)
    text: str = GREETING


@dataclass(frozen=True, slots=True)
class ModelNotAvailable:
    """Fail as if the provider did not have the model."""


@dataclass(frozen=True, slots=True)
class ScriptedTurn:
    """One reason step of a script; with an error, the text is streamed before it."""

    text: str = ""
    tool_calls: tuple[SimulatedCall, ...] = ()
    error: SimulatedFailure | None = None
    thinking: str | None = None
    finish_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Scripted:
    """One turn of the script a reason step."""

    turns: tuple[ScriptedTurn, ...]
    on_exhausted: OnExhausted = OnExhausted.REPEAT_LAST


Response = Echo | Fixed | Lorem | TextSequence | Empty | Failing | ModelNotAvailable | Scripted


@dataclass(frozen=True, slots=True)
class FixedCalls:
    """The same calls, once after each message that is not a tool result."""

    calls: tuple[SimulatedCall, ...]


@dataclass(frozen=True, slots=True)
class CallSequence:
    """One batch a reason step, over and over; an empty batch ends a turn."""

    steps: tuple[tuple[SimulatedCall, ...], ...]


@dataclass(frozen=True, slots=True)
class CallRule:
    """Calls to make when the last user message contains a text, whatever its case."""

    contains: str
    calls: tuple[SimulatedCall, ...]


@dataclass(frozen=True, slots=True)
class ConditionalCalls:
    """The calls of the first rule that matches, as rarely as `FixedCalls`."""

    rules: tuple[CallRule, ...]


CallPlan = FixedCalls | CallSequence | ConditionalCalls


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Everything about one simulated model; `tokens_per_second` 0 means at once.

    Attributes:
        thinking: what it thinks before each answer, unless a script's turn says otherwise.
        finish_reason: reported instead of what would be true.
    """

    response: Response = Echo()
    tool_calls: CallPlan | None = None
    first_token_delay_ms: float = 0
    tokens_per_second: float = 0
    thinking: str = ""
    finish_reason: str | None = None


def parse_simulation(raw: object) -> Simulation:
    """Read the llmsim object; an empty one is an instant echo.

    Raises:
        InvalidSimulation: naming the first place that is wrong.
    """
    fields = Place("llmsim", raw).fields()
    response, calls = fields.optional("response"), fields.optional("tool_calls")
    delay, speed = fields.optional("first_token_delay_ms"), fields.optional("tokens_per_second")
    thinking, finish = fields.optional("thinking"), fields.optional("finish_reason")
    fields.finish()
    said = Echo() if response is None else _typed(response, _RESPONSES)
    if calls is not None and isinstance(said, Scripted):
        raise InvalidSimulation(calls.path, "belongs to the turns of a script")
    return Simulation(
        response=said,
        tool_calls=None if calls is None else _typed(calls, _CALL_PLANS),
        first_token_delay_ms=0 if delay is None else delay.number(least=0, most=MAX_DELAY_MS),
        tokens_per_second=0 if speed is None else _speed(speed),
        thinking="" if thinking is None else thinking.text(),
        finish_reason=None if finish is None else finish.text(may_be_empty=False),
    )


def _typed(place: Place, readers: Mapping[str, Callable[[Fields], _T]]) -> _T:
    fields = place.fields()
    read = readers[fields.required("type").choice(readers)]
    parsed = read(fields)
    fields.finish()
    return parsed


def _speed(place: Place) -> float:
    speed = place.number(least=0, most=MAX_TOKENS_PER_SECOND)
    if 0 < speed < MIN_TOKENS_PER_SECOND:
        raise InvalidSimulation(place.path, f"must be 0 or at least {MIN_TOKENS_PER_SECOND}")
    return speed


def _fixed(fields: Fields) -> Fixed:
    text = fields.optional("text")
    return Fixed() if text is None else Fixed(text.text())


def _lorem(fields: Fields) -> Lorem:
    target = fields.optional("target_tokens")
    return Lorem() if target is None else Lorem(target.count(least=1, most=MAX_LOREM_TOKENS))


def _sequence(fields: Fields) -> TextSequence:
    return TextSequence(tuple(each.text() for each in fields.required("texts").some_items()))


def _failing(fields: Fields) -> Failing:
    kind, text = fields.optional("kind"), fields.optional("text")
    failure = _failure(
        fields, FailureReason.PROCESSING_ERROR if kind is None else _kind(kind), DEFAULT_ERROR
    )
    return Failing(failure, GREETING if text is None else text.text())


def _failure(
    fields: Fields, kind: ErrorKind | FailureReason, message: str | None = None
) -> SimulatedFailure:
    said, after = fields.optional("message"), fields.optional("retry_after_seconds")
    times = fields.optional("fail_times")
    return SimulatedFailure(
        kind,
        message if said is None else said.text(),
        None if after is None else after.number(least=0, most=MAX_DELAY_MS),
        None if times is None else times.count(least=0, most=MAX_FAIL_TIMES),
    )


def _error(place: Place) -> SimulatedFailure:
    """How a turn fails: a kind, or an object with one."""
    if isinstance(place.value, str):
        return SimulatedFailure(_kind(place))
    fields = place.fields()
    failure = _failure(fields, _kind(fields.required("kind")))
    fields.finish()
    return failure


def _kind(place: Place) -> ErrorKind | FailureReason:
    kind = place.choice(_KINDS)
    return ErrorKind(kind) if kind in tuple(ErrorKind) else FailureReason(kind)


def _scripted(fields: Fields) -> Scripted:
    turns = tuple(_scripted_turn(each) for each in fields.required("turns").some_items())
    then = fields.optional("on_exhausted")
    return Scripted(turns) if then is None else Scripted(turns, OnExhausted(then.choice(_THEN)))


def _scripted_turn(place: Place) -> ScriptedTurn:
    fields = place.fields()
    text, calls, error = (fields.optional(name) for name in ("text", "tool_calls", "error"))
    thinking, finish = fields.optional("thinking"), fields.optional("finish_reason")
    fields.finish()
    if text is None and calls is None and error is None:
        raise InvalidSimulation(place.path, "needs text, tool_calls or error")
    return ScriptedTurn(
        text="" if text is None else text.text(),
        tool_calls=() if calls is None else _calls(calls),
        error=None if error is None else _error(error),
        thinking=None if thinking is None else thinking.text(),
        finish_reason=None if finish is None else finish.text(may_be_empty=False),
    )


def _calls(place: Place) -> tuple[SimulatedCall, ...]:
    return tuple(_call(each) for each in place.items())


def _call(place: Place) -> SimulatedCall:
    fields = place.fields()
    name = fields.required("name").text(may_be_empty=False)
    arguments, call_id = fields.optional("arguments"), fields.optional("id")
    malformed = _malformed(fields)
    fields.finish()
    if malformed is not None and arguments is not None:
        raise InvalidSimulation(arguments.path, "cannot stand beside malformed ones")
    return SimulatedCall(
        name=name,
        arguments={} if arguments is None else arguments.mapping(),
        id=None if call_id is None else call_id.text(may_be_empty=False),
        malformed=malformed,
    )


def _malformed(fields: Fields) -> str | None:
    raw, some = fields.optional("malformed"), fields.optional("malformed_arguments")
    if raw is not None:
        return raw.text(may_be_empty=False)
    return DEFAULT_MALFORMED if some is not None and some.truth() else None


def _fixed_calls(fields: Fields) -> FixedCalls:
    return FixedCalls(_calls(fields.required("tool_calls")))


def _call_sequence(fields: Fields) -> CallSequence:
    return CallSequence(tuple(_calls(each) for each in fields.required("steps").some_items()))


def _conditional_calls(fields: Fields) -> ConditionalCalls:
    return ConditionalCalls(tuple(_rule(each) for each in fields.required("rules").items()))


def _rule(place: Place) -> CallRule:
    fields = place.fields()
    contains, calls = fields.required("contains").text(), _calls(fields.required("tool_calls"))
    fields.finish()
    return CallRule(contains, calls)


_KINDS: Final = (*ErrorKind, *FailureReason)
_THEN: Final = tuple(OnExhausted)

_RESPONSES: Final[Mapping[str, Callable[[Fields], Response]]] = {
    "echo": lambda _: Echo(),
    "fixed": _fixed,
    "lorem": _lorem,
    "sequence": _sequence,
    "empty": lambda _: Empty(),
    "error": _failing,
    "model_not_available": lambda _: ModelNotAvailable(),
    "scripted": _scripted,
}

_CALL_PLANS: Final[Mapping[str, Callable[[Fields], CallPlan]]] = {
    "fixed": _fixed_calls,
    "sequence": _call_sequence,
    "conditional": _conditional_calls,
}
