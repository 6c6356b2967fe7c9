"""Which driver speaks to which type of provider.

A new provider is one module beside this one and one line in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from worker.llm.driver import FailureReason, LLMDriver, LLMFailure
from worker.llm.llmsim.driver import SimulatedModel

SIMULATED: Final = "llmsim"

DRIVERS: Final[Mapping[str, Callable[[], LLMDriver]]] = MappingProxyType(
    {SIMULATED: SimulatedModel}
)


def driver_for(provider_type: str, *, allow_simulated: bool) -> LLMDriver:
    """The driver of a provider type; in production `allow_simulated` is False.

    Raises:
        LLMFailure: `MODEL_UNAVAILABLE`; there is none, or it may not be used here.
    """
    make = DRIVERS.get(provider_type)
    if make is None:
        detail = f"no driver for provider type {provider_type}"
        raise LLMFailure(FailureReason.MODEL_UNAVAILABLE, detail)
    if provider_type == SIMULATED and not allow_simulated:
        detail = "the simulated model is off in this deployment"
        raise LLMFailure(FailureReason.MODEL_UNAVAILABLE, detail)
    return make()
