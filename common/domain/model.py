"""A model: what is known of it beside its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelProfile:
    """What a model can do and how much fits into it.

    Attributes:
        context_tokens: input and output together; None when nobody knows.
        output_tokens: the longest answer; None when nobody knows.
        reasons: whether it thinks when asked for an effort.
        takes_temperature: whether it accepts one.
        efforts: how much it can be asked to think; empty when nobody knows.
        thinks_adaptively: whether it decides itself how long to think, and refuses a budget.
    """

    context_tokens: int | None = None
    output_tokens: int | None = None
    reasons: bool = False
    takes_temperature: bool = True
    takes_images: bool = True
    calls_tools: bool = True
    efforts: tuple[str, ...] = ()
    thinks_adaptively: bool = False

    def to_json(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> ModelProfile:
        """What `to_json` wrote; unknown keys are ignored, missing ones take their default."""
        known = {each.name: raw[each.name] for each in fields(cls) if each.name in raw}
        return cls(**{**known, "efforts": tuple(known.get("efforts", ()))})


UNKNOWN_MODEL: Final = ModelProfile()
