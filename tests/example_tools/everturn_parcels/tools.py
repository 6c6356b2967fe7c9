"""What the tools do."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from everturn_parcels.courier import Courier
from everturn_parcels.declaration import PARCELS
from worker.capabilities.capability import (
    Capability,
    Contribution,
    Scope,
    SideEffect,
    Tool,
    ToolContext,
    ToolFailed,
    ToolOutcome,
    ToolSucceeded,
)
from worker.capabilities.services import Services

_PRICE_PER_KG = {"EUR": 4.0, "USD": 4.5}


def capability(_services: Services) -> Capability:
    """Called once in each worker process."""
    courier = Courier(Path(os.environ.get("PARCELS_FOLDER", "parcels")))
    return Capability(
        id=PARCELS.id,
        system_prompt=PARCELS.system_prompt,
        prepare=partial(prepare, courier),
    )


def prepare(courier: Courier, config: Mapping[str, Any], _scope: Scope, /) -> Contribution:
    """Called once a turn, with the config of the agent or session."""
    currency = config.get("currency", "EUR")

    def price(arguments: Mapping[str, Any], _context: ToolContext, /) -> ToolOutcome:
        amount = round(arguments["weight_kg"] * _PRICE_PER_KG[currency], 2)
        return ToolSucceeded({"price": amount, "currency": currency})

    def send(arguments: Mapping[str, Any], context: ToolContext, /) -> ToolOutcome:
        context.report.progress("Calling the courier")
        try:
            number = courier.order(context.idempotency_key, arguments)
        except PermissionError:
            return ToolFailed("The courier takes no parcels from us at the moment.")
        return ToolSucceeded({"tracking_number": number})

    def find(_arguments: Mapping[str, Any], context: ToolContext, /) -> ToolOutcome | None:
        number = courier.find(context.idempotency_key)
        return None if number is None else ToolSucceeded({"tracking_number": number})

    return Contribution(
        tools=(
            Tool.declared(PARCELS.tool("parcel_price"), side_effect=SideEffect.PURE, run=price),
            Tool.declared(
                PARCELS.tool("send_parcel"),
                side_effect=SideEffect.RECONCILE,
                run=send,
                reconcile=find,
                concurrency_class="courier",
                timeout_seconds=30,
            ),
        )
    )
