import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from common.domain.provider import PROVIDER_TYPES
from dev.paths import ROOT
from worker.llm.driver import Endpoint, FailureReason, LLMFailure
from worker.llm.llmsim.driver import SimulatedModel
from worker.llm.registry import driver_for


def _endpoint(provider_type: str) -> Endpoint:
    return Endpoint("provider_1", provider_type)


def test_the_simulated_model_is_found_by_its_type() -> None:
    assert isinstance(driver_for(_endpoint("llmsim"), allow_simulated=True), SimulatedModel)


@pytest.mark.parametrize("provider_type", sorted(PROVIDER_TYPES))
def test_every_type_has_a_driver(provider_type: str) -> None:
    assert callable(driver_for(_endpoint(provider_type), allow_simulated=True).stream)


@pytest.mark.parametrize("provider_type", ["llmsim", "no-such-provider", ""])
def test_what_may_not_be_used_or_does_not_exist_is_unavailable(provider_type: str) -> None:
    with pytest.raises(LLMFailure) as caught:
        driver_for(_endpoint(provider_type), allow_simulated=False)
    assert caught.value.reason is FailureReason.MODEL_UNAVAILABLE
    assert not caught.value.may_retry


# All there is to another provider: its module in `worker/llm` …
_MODULE = """
from common.domain.events import Usage
from worker.llm.driver import ImageLimits, Reply, TextDelta


class Parrot:
    image_limits = ImageLimits()

    def __init__(self, endpoint):
        self._endpoint = endpoint

    def stream(self, request, *, stop):
        yield TextDelta(f"{self._endpoint.base_url}: {request.messages[-1].text}")
        yield Reply(Usage(), "stop", request.model)


make_driver = Parrot
"""
# … and its entry in the catalogue.
_ENTRY = '"parrot": ProviderType(title="A parrot", driver="parrot", default_url="http://jungle"),'
# The api takes it from a caller, the worker speaks to it.
_PROGRAM = """
import threading
from api.schemas.providers import NewProviderSchema, show_driver
from common.domain.provider import offered_types
from worker.llm.driver import Endpoint, LLMRequest, ModelMessage
from worker.llm.registry import driver_for

new = NewProviderSchema().load({"name": "Polly", "provider_type": "parrot"})
assert new.provider_type in offered_types(is_development=False)
assert show_driver("parrot", can_sync=False)["name"] == "A parrot"
driver = driver_for(Endpoint("p", new.provider_type, "http://here"), allow_simulated=False)
request = LLMRequest("a-model", "", (ModelMessage("user", "Hello"),))
heard, reply = driver.stream(request, stop=threading.Event())
print(heard.text, reply.model)
"""


def test_another_provider_is_one_module_and_one_line(tmp_path: Path) -> None:
    for package in ("api", "common", "worker"):
        shutil.copytree(ROOT / package, tmp_path / package)
    (tmp_path / "worker/llm/parrot.py").write_text(_MODULE)
    catalogue = tmp_path / "common/domain/provider.py"
    first = '"openai": ProviderType('
    changed = catalogue.read_text().replace(first, f"{_ENTRY}\n{first}", 1)
    catalogue.write_text(changed)
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stdout.strip() == "http://here: Hello a-model", done.stderr


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
