from pathlib import Path
from uuid import UUID

from everturn_parcels.courier import Courier
from everturn_parcels.tools import prepare

from common.domain.turn import ToolCall
from worker.capabilities.capability import Scope, ToolContext, ToolFailed, ToolSucceeded
from worker.capabilities.execution import ToolExecutor

SCOPE = Scope(
    organization_id=UUID(int=1),
    session_id=UUID(int=2),
    workspace_id=UUID(int=2),
    capability_id="parcels",
)
CONTEXT = ToolContext(
    organization_id=UUID(int=1),
    session_id=UUID(int=2),
    workspace_id=UUID(int=2),
    turn_id=UUID(int=3),
    tool_call_id="call_1",
    idempotency_key="session:call_1",
    timeout_seconds=30,
)
SEND = ToolCall("call_1", "send_parcel", {"weight_kg": 2, "address": "Main Street 1"})


def executor(folder: Path, **config: str) -> ToolExecutor:
    tools = prepare(Courier(folder), config, SCOPE).tools
    return ToolExecutor({tool.name: tool for tool in tools})


def test_the_price_is_in_the_configured_currency(tmp_path: Path) -> None:
    call = ToolCall("call_1", "parcel_price", {"weight_kg": 2})
    outcome = executor(tmp_path, currency="USD").run(call, CONTEXT).outcome
    assert outcome == ToolSucceeded({"price": 9.0, "currency": "USD"})


def test_a_weight_that_cannot_be_is_refused(tmp_path: Path) -> None:
    call = ToolCall("call_1", "parcel_price", {"weight_kg": -2})
    assert isinstance(executor(tmp_path).run(call, CONTEXT).outcome, ToolFailed)


def test_a_parcel_whose_worker_was_lost_is_sent_once(tmp_path: Path) -> None:
    tools = executor(tmp_path)
    sent = tools.run(SEND, CONTEXT).outcome
    assert tools.run(SEND, CONTEXT, is_resumed=True).outcome == sent
    assert len(list(tmp_path.iterdir())) == 1


def test_a_parcel_that_never_left_is_sent_by_the_next_worker(tmp_path: Path) -> None:
    outcome = executor(tmp_path).run(SEND, CONTEXT, is_resumed=True).outcome
    assert outcome == ToolSucceeded({"tracking_number": "P-1"})
