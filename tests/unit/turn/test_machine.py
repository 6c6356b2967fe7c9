from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from common.domain.events import Usage
from common.domain.turn import ToolCall
from worker.turn.act_state import Acting
from worker.turn.machine import apply, decide
from worker.turn.state import (
    ActEnded,
    ActStarted,
    ApprovalRequested,
    ApprovalResolved,
    AskApproval,
    CallEnded,
    CallModel,
    CallsRequested,
    CallStarted,
    CancelCalls,
    Command,
    CompleteTurn,
    Exhausted,
    Fact,
    FailTurn,
    FinishAct,
    Limits,
    MessageArrived,
    NoticeShown,
    ReasonEnded,
    ReasonRecovered,
    ReasonStarted,
    RecordInterrupted,
    RecoverReason,
    RejectCalls,
    Replied,
    ReplyOpened,
    RequestCalls,
    RunCalls,
    SealTurn,
    StartAct,
    StartCalls,
    StartReason,
    StartTurn,
    TurnEnded,
    TurnStarted,
    TurnState,
    Wait,
    WorkerLost,
)

_ENDINGS = (CompleteTurn, FailTurn, SealTurn)
_MOST_STEPS = 400


class _Course:
    """Drives a turn with whatever Hypothesis draws, and keeps what was done."""

    def __init__(self, data: st.DataObject, limits: Limits) -> None:
        self._data = data
        self._troubles_left = data.draw(st.integers(0, 10))
        self._call_count = 0
        self.state = TurnState(limits=limits)
        self.facts: list[Fact] = []
        self.commands: list[Command] = []
        self.asked: list[str] = []
        self.take(MessageArrived())

    def take(self, fact: Fact) -> None:
        self.state = apply(self.state, fact)
        command = decide(self.state)
        assert command == decide(self.state)
        self.facts.append(fact)

    def run(self) -> None:
        for _ in range(_MOST_STEPS):
            if decide(self.state) is None:
                return
            self._meet_trouble()
            command = decide(self.state)
            assert command is not None
            self.commands.append(command)
            for fact in self._carry_out(command):
                self.take(fact)
        raise AssertionError("the turn does not end")

    def _meet_trouble(self) -> None:
        while self._troubles_left and self._data.draw(st.booleans()):
            self._troubles_left -= 1
            kinds: list[Fact] = [MessageArrived(), MessageArrived(), WorkerLost(), Exhausted()]
            trouble = self._data.draw(st.sampled_from(kinds))
            if isinstance(trouble, Exhausted):
                # Said only by a worker that has taken the turn over.
                self.take(WorkerLost())
            self.take(trouble)

    def _carry_out(self, command: Command) -> list[Fact]:
        match command:
            case StartTurn():
                return [TurnStarted()]
            case StartReason():
                return [ReasonStarted(), ReplyOpened()]
            case RecoverReason():
                return [ReasonRecovered(), ReplyOpened()]
            case CallModel():
                return self._model()
            case StartAct(calls):
                return [self._kinds(calls)]
            case StartCalls(calls):
                return [CallStarted(call.id, self._data.draw(st.booleans())) for call in calls]
            case RunCalls(calls):
                order = self._data.draw(st.permutations(calls))
                done = order[: self._data.draw(st.integers(1, len(order)))]
                return [CallEnded(call.id) for call in done]
            case RecordInterrupted(calls) | RejectCalls(calls) | CancelCalls(calls):
                return [CallEnded(call.id) for call in calls]
            case AskApproval(calls):
                return [ApprovalRequested(frozenset(call.id for call in calls))]
            case RequestCalls(calls):
                return [CallsRequested(frozenset(call.id for call in calls))]
            case Wait():
                return self._outside()
            case FinishAct():
                return [ActEnded()]
            case CompleteTurn() | FailTurn() | SealTurn():
                return [TurnEnded(), NoticeShown()]

    def _kinds(self, calls: tuple[ToolCall, ...]) -> ActStarted:
        some = st.frozensets(st.sampled_from([call.id for call in calls]))
        if self._data.draw(st.booleans()):
            return ActStarted()
        refused = self._data.draw(some)
        return ActStarted(self._data.draw(some), self._data.draw(some) - refused, refused)

    def _outside(self) -> list[Fact]:
        """The client or a person says something about one of the calls that wait."""
        acting = self.state.step
        assert isinstance(acting, Acting)
        if not acting.undecided:
            return [
                CallEnded(self._data.draw(st.sampled_from(sorted(acting.requested & acting.open))))
            ]
        call_id = self._data.draw(st.sampled_from(sorted(acting.undecided)))
        if self._data.draw(st.booleans()):
            return [ApprovalResolved(call_id, is_allowed=True)]
        return [ApprovalResolved(call_id, is_allowed=False), CallEnded(call_id)]

    def _model(self) -> list[Fact]:
        wanted = self._data.draw(st.sampled_from([-1, 0, 1, 2, 4]))
        if wanted < 0:
            return [ReasonEnded("provider_unavailable")]
        calls = tuple(ToolCall(f"c{self._call_count + n}", "tool", {}) for n in range(wanted))
        self._call_count += wanted
        self.asked += [call.id for call in calls]
        return [Replied(calls, Usage(3, 1)), ReasonEnded()]


_limits = st.builds(
    Limits, max_iterations=st.integers(1, 4), parallel_calls=st.sampled_from([1, 2, 32])
)


@st.composite
def _courses(draw: st.DrawFn) -> _Course:
    course = _Course(draw(st.data()), draw(_limits))
    course.run()
    return course


@settings(max_examples=300)
@given(_courses())
def test_a_turn_ends_exactly_once(course: _Course) -> None:
    assert [isinstance(each, _ENDINGS) for each in course.commands].count(True) == 1
    assert isinstance(course.commands[-1], _ENDINGS)
    assert course.facts.count(TurnEnded()) == 1


@settings(max_examples=300)
@given(_courses())
def test_there_are_never_more_iterations_than_allowed(course: _Course) -> None:
    begun = course.facts.count(ReasonStarted())
    assert begun == course.state.iterations <= course.state.limits.max_iterations


@settings(max_examples=300)
@given(_courses())
def test_every_tool_call_gets_exactly_one_result(course: _Course) -> None:
    results = Counter(fact.call_id for fact in course.facts if isinstance(fact, CallEnded))
    assert results == Counter(course.asked)
    assert course.state.tool_calls == len(course.asked)


@settings(max_examples=300)
@given(_courses())
def test_every_message_is_read_or_gets_a_turn_of_its_own(course: _Course) -> None:
    end = course.facts.index(TurnEnded())
    read = max((at for at, fact in enumerate(course.facts) if fact == ReasonStarted()), default=0)
    is_left = MessageArrived() in course.facts[read:end]
    ending = course.commands[-1]
    assert isinstance(ending, _ENDINGS)
    assert ending.queue_next == is_left


@settings(max_examples=300)
@given(_courses())
def test_no_more_calls_run_at_once_than_allowed(course: _Course) -> None:
    running = [len(each.calls) for each in course.commands if isinstance(each, RunCalls)]
    assert all(count <= course.state.limits.parallel_calls for count in running)


@settings(max_examples=300)
@given(_courses())
def test_a_call_is_made_only_once_it_is_in_the_log_and_never_again_when_lost(
    course: _Course,
) -> None:
    state = TurnState(limits=course.state.limits)
    repeatable: dict[str, bool] = {}
    settled: set[str] = set()
    for fact in course.facts:
        match fact:
            case CallStarted(call_id, may_repeat):
                assert call_id not in repeatable
                repeatable[call_id] = may_repeat
            case CallEnded(call_id):
                settled.add(call_id)
            case WorkerLost():
                settled |= {call_id for call_id, again in repeatable.items() if not again}
            case _:
                pass
        state = apply(state, fact)
        command = decide(state)
        if isinstance(command, RunCalls):
            assert {call.id for call in command.calls} <= set(repeatable) - settled


@settings(max_examples=300)
@given(_courses())
def test_a_call_that_needs_somebody_outside_is_not_made_without(course: _Course) -> None:
    barred: set[str] = set()
    for fact in course.facts:
        match fact:
            case ActStarted(client, guarded, refused):
                barred |= client | guarded | refused
                mine = client | refused
            case ApprovalResolved(call_id, is_allowed=True) if call_id not in mine:
                barred.discard(call_id)
            case CallStarted(call_id):
                assert call_id not in barred
            case _:
                pass


@settings(max_examples=300)
@given(_courses())
def test_the_counters_are_those_of_the_facts(course: _Course) -> None:
    replies = [fact for fact in course.facts if isinstance(fact, Replied)]
    failures = [fact for fact in course.facts if isinstance(fact, ReasonEnded) and fact.failure]
    assert course.state.llm_calls == len(replies) + len(failures)
    assert course.state.usage == Usage(3 * len(replies), len(replies))
