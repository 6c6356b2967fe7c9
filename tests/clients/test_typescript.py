"""The TypeScript client against the running system: the guide, streams, tools, resources."""

from typing import Any

import pytest

from tests.clients.typescript import TESTS, names_of, run_test_file
from tests.system import System
from tests.talk import Simulate

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("_built")]

_CONVERSATION = "conversation.test.ts"
SPEEDS: dict[str, dict[str, Any]] = {
    "instant": {},
    "slow": {"first_token_delay_ms": 150, "tokens_per_second": 25},
    "silent, then all at once": {"first_token_delay_ms": 400},
}


@pytest.mark.parametrize("name", [each for each in names_of("system") if each != _CONVERSATION])
def test_against_the_system(system: System, name: str) -> None:
    run_test_file(TESTS / "system" / name, EVERRUNS_URL=system.base_url)


@pytest.mark.parametrize("behaviour", SPEEDS.values(), ids=SPEEDS)
def test_the_complete_example(
    system: System, simulate: Simulate, behaviour: dict[str, Any]
) -> None:
    simulate(**behaviour)
    run_test_file(TESTS / "system" / _CONVERSATION, EVERRUNS_URL=system.base_url)
