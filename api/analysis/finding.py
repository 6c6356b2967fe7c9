"""What is read, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from common.domain.capability_catalog import CapabilityInfo

Category = Literal["structure", "completeness", "effectiveness", "safety", "cost"]
Severity = Literal["warning", "info", "suggestion"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An agent as somebody is writing it.

    Attributes:
        capabilities: `{ref, config}` each.
        known: what may be granted, by id.
    """

    system_prompt: str
    capabilities: Sequence[Mapping[str, Any]] = ()
    tools: Sequence[Mapping[str, Any]] = ()
    known: Mapping[str, CapabilityInfo] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Location:
    """A field, and for a text the characters in it."""

    field: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing noticed.  `fix` says what to do about it."""

    rule_id: str
    category: Category
    severity: Severity
    message: str
    fix: str | None = None
    location: Location | None = None
