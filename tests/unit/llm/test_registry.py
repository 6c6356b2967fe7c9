import pytest

from worker.llm.driver import FailureReason, LLMFailure
from worker.llm.llmsim.driver import SimulatedModel
from worker.llm.registry import driver_for


def test_the_simulated_model_is_found_by_its_type() -> None:
    assert isinstance(driver_for("llmsim", allow_simulated=True), SimulatedModel)


@pytest.mark.parametrize("provider_type", ["llmsim", "no-such-provider", ""])
def test_what_may_not_be_used_or_does_not_exist_is_unavailable(provider_type: str) -> None:
    with pytest.raises(LLMFailure) as caught:
        driver_for(provider_type, allow_simulated=False)
    assert caught.value.reason is FailureReason.MODEL_UNAVAILABLE
    assert not caught.value.may_retry
