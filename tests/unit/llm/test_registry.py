import subprocess
import sys
import threading
from collections.abc import Generator
from types import SimpleNamespace

import pytest

from common.domain.events import Usage
from tests.unit.llm.requests import a_request
from worker.llm.driver import (
    Endpoint,
    FailureReason,
    ImageLimits,
    LLMDriver,
    LLMFailure,
    LLMRequest,
    Reply,
    Stop,
    Streamed,
    TextDelta,
)
from worker.llm.llmsim.driver import SimulatedModel
from worker.llm.registry import DRIVERS, driver_for


def _endpoint(provider_type: str) -> Endpoint:
    return Endpoint("provider_1", provider_type)


def test_the_simulated_model_is_found_by_its_type() -> None:
    assert isinstance(driver_for(_endpoint("llmsim"), allow_simulated=True), SimulatedModel)


@pytest.mark.parametrize("provider_type", sorted(DRIVERS))
def test_every_type_has_a_driver(provider_type: str) -> None:
    assert callable(driver_for(_endpoint(provider_type), allow_simulated=True).stream)


@pytest.mark.parametrize("provider_type", ["llmsim", "no-such-provider", ""])
def test_what_may_not_be_used_or_does_not_exist_is_unavailable(provider_type: str) -> None:
    with pytest.raises(LLMFailure) as caught:
        driver_for(_endpoint(provider_type), allow_simulated=False)
    assert caught.value.reason is FailureReason.MODEL_UNAVAILABLE
    assert not caught.value.may_retry


class _Parrot:
    image_limits = ImageLimits()

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def stream(self, request: LLMRequest, *, stop: Stop) -> Generator[Streamed, None, None]:
        if not stop.is_set():
            yield TextDelta(f"{self._endpoint.base_url}: {request.messages[-1].text}")
            yield Reply(Usage(), "stop", request.model)


# What the module of another provider would hold.
parrot = SimpleNamespace(Parrot=_Parrot)


def test_another_provider_is_one_module_and_one_line() -> None:
    drivers = {**DRIVERS, "parrot": parrot.Parrot}
    endpoint = Endpoint("provider_1", "parrot", base_url="http://jungle")
    driver: LLMDriver = driver_for(endpoint, allow_simulated=False, drivers=drivers)
    heard = list(driver.stream(a_request(), stop=threading.Event()))
    assert heard == [
        TextDelta("http://jungle: What is the sum?"),
        Reply(Usage(), "stop", "a-model"),
    ]


def test_the_official_libraries_are_not_imported_before_they_are_used() -> None:
    program = (
        "import sys, worker.llm.registry\n"
        "heavy = {'openai', 'anthropic', 'httpx2', 'httpcore2'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
