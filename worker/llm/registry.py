"""Which driver speaks to which type of provider.

A new provider is one module beside this one and one line in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from worker.llm.anthropic_messages import AnthropicMessages
from worker.llm.driver import Endpoint, FailureReason, LLMDriver, LLMFailure
from worker.llm.llmsim.driver import SimulatedModel
from worker.llm.openai_completions import OpenAICompletions
from worker.llm.openai_responses import OpenAIResponses

SIMULATED: Final = "llmsim"

Drivers = Mapping[str, Callable[[Endpoint], LLMDriver]]

# The official SDKs are imported by their first call, not by this module.
DRIVERS: Final[Drivers] = MappingProxyType(
    {
        "anthropic": AnthropicMessages,
        "azure_openai": OpenAICompletions,
        "openai": OpenAIResponses,
        "openai_completions": OpenAICompletions,
        "openrouter": OpenAICompletions,
        SIMULATED: lambda _endpoint: SimulatedModel(),
    }
)


def driver_for(
    endpoint: Endpoint, *, allow_simulated: bool, drivers: Drivers = DRIVERS
) -> LLMDriver:
    """The driver for an endpoint; in production `allow_simulated` is False.

    Raises:
        LLMFailure: `MODEL_UNAVAILABLE`; there is none, or it may not be used here.
    """
    make = drivers.get(endpoint.provider_type)
    if make is None:
        detail = f"no driver for provider type {endpoint.provider_type}"
        raise LLMFailure(FailureReason.MODEL_UNAVAILABLE, detail)
    if endpoint.provider_type == SIMULATED and not allow_simulated:
        detail = "the simulated model is off in this deployment"
        raise LLMFailure(FailureReason.MODEL_UNAVAILABLE, detail)
    return make(endpoint)
