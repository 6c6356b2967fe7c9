"""Which driver speaks to which type of provider.

A new provider is one module beside this one, with a `make_driver`, and one entry in
`common.domain.provider.PROVIDER_TYPES` that names it: api and worker both go by that.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

from common.domain.provider import PROVIDER_TYPES, SIMULATED_TYPE
from worker.llm.driver import Endpoint, FailureReason, LLMDriver, LLMFailure

SIMULATED: Final = SIMULATED_TYPE


def driver_for(endpoint: Endpoint, *, allow_simulated: bool) -> LLMDriver:
    """The driver for an endpoint; in production `allow_simulated` is False.

    Raises:
        LLMFailure: `MODEL_UNAVAILABLE`; there is none, or it may not be used here.
    """
    known = PROVIDER_TYPES.get(endpoint.provider_type)
    if known is None:
        detail = f"no driver for provider type {endpoint.provider_type}"
        raise LLMFailure(FailureReason.MODEL_UNAVAILABLE, detail)
    if endpoint.provider_type == SIMULATED and not allow_simulated:
        detail = "the simulated model is off in this deployment"
        raise LLMFailure(FailureReason.MODEL_UNAVAILABLE, detail)
    # Imported by its first call, as the official SDKs are by theirs.
    make_driver: Callable[[Endpoint], LLMDriver]
    make_driver = import_module(f"worker.llm.{known.driver}").make_driver
    return make_driver(endpoint)
