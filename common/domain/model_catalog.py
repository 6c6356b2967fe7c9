"""What is known of well-known models, for rows that say nothing themselves.

By the beginning of the model's name; the first entry that fits counts.  Limits are the
providers' published ones at the release date.  A name that fits no entry is an unknown model:
everything but its limits is assumed to work, and the provider says if it does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from common.domain.model import UNKNOWN_MODEL, ModelProfile

Json = dict[str, Any]

_EFFORTS_6: Final = ("low", "medium", "high", "xhigh")
_EFFORTS_56: Final = ("none", *_EFFORTS_6)
_EFFORTS_5: Final = ("minimal", "low", "medium", "high")
_EFFORTS_O: Final = ("low", "medium", "high")
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Family:
    """Models whose names begin alike.

    Attributes:
        start: a regular expression for the beginning of the name.
        cost: USD per million tokens of input and of output, when known.
        adaptive: whether it decides itself how long to think: Anthropic's newer models, which
            refuse a budget of tokens or are soon to do so.
    """

    start: str
    name: str
    vendor: str
    context: int
    output: int
    reasons: bool = False
    temperature: bool = True
    images: bool = True
    tools: bool = True
    structured: bool = True
    open_weights: bool = False
    efforts: tuple[str, ...] = ()
    cost: tuple[float, float] | None = None
    adaptive: bool = False

    def to_profile(self) -> Json:
        """In the wire's form (contract 6.2)."""
        profile: Json = {
            "name": self.name,
            "family": self.name,
            "attachment": self.images,
            "reasoning": self.reasons,
            "temperature": self.temperature,
            "tool_call": self.tools,
            "structured_output": self.structured,
            "open_weights": self.open_weights,
            "limits": {"context": self.context, "output": self.output},
            "modalities": {
                "input": ["text", "image"] if self.images else ["text"],
                "output": ["text"],
            },
        }
        if self.efforts:
            profile["reasoning_effort"] = {
                "default": "medium",
                "values": [{"name": value.capitalize(), "value": value} for value in self.efforts],
            }
        if self.cost is not None:
            profile["cost"] = {"input": self.cost[0], "output": self.cost[1]}
        return profile


def _gpt(start: str, name: str, context: int, output: int, **known: Any) -> Family:
    return Family(start, name, "openai", context, output, **known)


def _gpt_thinking(
    start: str, name: str, context: int, efforts: Sequence[str], **known: Any
) -> Family:
    return Family(
        start,
        name,
        "openai",
        context,
        known.pop("output", 128_000),
        reasons=True,
        temperature=False,
        efforts=tuple(efforts),
        **known,
    )


def _claude(start: str, name: str, context: int, output: int, **known: Any) -> Family:
    return Family(start, name, "anthropic", context, output, reasons=True, **known)


def _cool_claude(start: str, name: str, context: int, output: int, **known: Any) -> Family:
    """One that refuses a temperature, and a budget for its thinking."""
    return _claude(start, name, context, output, temperature=False, adaptive=True, **known)


_FAMILIES: Final = (
    # Those named "chat" answer at once.
    _gpt(r"gpt-5[.0-9]*-chat", "GPT-5 Chat", 128_000, 16_384),
    _gpt_thinking(r"gpt-6\.2-astra", "GPT-6.2 Astra", 1_050_000, _EFFORTS_6, cost=(8, 40)),
    _gpt_thinking(r"gpt-6\.2-sol", "GPT-6.2 Sol", 1_050_000, _EFFORTS_6, cost=(2, 10)),
    _gpt_thinking(r"gpt-6-astra", "GPT-6 Astra", 1_050_000, _EFFORTS_6, cost=(10, 50)),
    _gpt_thinking(r"gpt-6(?![0-9])", "GPT-6", 1_050_000, _EFFORTS_6),
    _gpt_thinking(r"gpt-5\.6", "GPT-5.6", 1_050_000, _EFFORTS_56),
    _gpt_thinking(r"gpt-5\.4-(mini|nano)", "GPT-5.4 mini", 400_000, _EFFORTS_56),
    _gpt_thinking(r"gpt-5\.[45]", "GPT-5.5", 1_050_000, _EFFORTS_56),
    _gpt_thinking(r"gpt-5\.[1-3]", "GPT-5.2", 400_000, ("none", *_EFFORTS_O)),
    _gpt_thinking(r"gpt-5(?![0-9])", "GPT-5", 400_000, _EFFORTS_5),
    _gpt(r"gpt-4\.1", "GPT-4.1", 1_047_576, 32_768),
    _gpt(r"(gpt|chatgpt)-4o", "GPT-4o", 128_000, 16_384),
    _gpt(r"gpt-4-turbo", "GPT-4 Turbo", 128_000, 4_096),
    _gpt(r"gpt-3\.5", "GPT-3.5", 16_385, 4_096, images=False, structured=False),
    _gpt_thinking(
        r"o[134]-mini", "OpenAI o-mini", 200_000, _EFFORTS_O, output=100_000
    ),
    _gpt_thinking(r"o[13](?![0-9])", "OpenAI o", 200_000, _EFFORTS_O, output=100_000),
    Family(
        r"gpt-oss", "GPT-OSS", "openai", 131_072, 131_072,
        reasons=True, images=False, open_weights=True, efforts=_EFFORTS_O,
    ),
    _cool_claude(r"claude-opus-5-5", "Claude Opus 5.5", _MILLION, 128_000, cost=(4, 20)),
    _cool_claude(r"claude-sonnet-5", "Claude Sonnet 5", _MILLION, 128_000, cost=(2, 10)),
    _cool_claude(r"claude-opus-5", "Claude Opus 5", _MILLION, 128_000, cost=(5, 25)),
    _cool_claude(r"claude-haiku-5", "Claude Haiku 5.5", _MILLION, 64_000),
    _cool_claude(r"claude-(fable|mythos)-", "Claude Fable", _MILLION, 128_000),
    _cool_claude(r"claude-opus-4-[78]", "Claude Opus 4.8", _MILLION, 128_000, cost=(5, 25)),
    _claude(
        r"claude-opus-4-6", "Claude Opus 4.6", _MILLION, 128_000, adaptive=True, cost=(5, 25)
    ),
    _claude(
        r"claude-sonnet-4-6", "Claude Sonnet 4.6", _MILLION, 64_000, adaptive=True, cost=(3, 15)
    ),
    _claude(r"claude-(opus|sonnet)-4-5", "Claude 4.5", 200_000, 64_000),
    _claude(r"claude-haiku-4-5", "Claude Haiku 4.5", 200_000, 64_000, cost=(1, 5)),
    _claude(r"claude-(opus|sonnet)-4", "Claude 4", 200_000, 32_000),
    _claude(r"claude-3-7", "Claude 3.7", 200_000, 64_000),
    Family(r"claude-3-5", "Claude 3.5", "anthropic", 200_000, 8_192),
    Family(r"claude-(3|2|v|instant)", "Claude 3", "anthropic", 200_000, 4_096),
    # Newer than this list, so it is taken for one of the newest kind.
    _cool_claude(r"claude-", "Claude", 200_000, 16_384),
)  # fmt: skip

_PATTERNS: Final = tuple((re.compile(family.start), family) for family in _FAMILIES)
# What a list of OpenAI's form has beside models one can talk with.
_NOT_CHAT: Final = re.compile(
    r"embed|whisper|tts|dall-e|image|moderation|sora|babbage|davinci|realtime|transcribe|audio"
    r"|rerank|instruct-0914",
    re.IGNORECASE,
)
_VENDORS: Final = (
    (re.compile(r"gpt|chatgpt|o[134](-|$)|codex"), "openai"),
    (re.compile(r"claude"), "anthropic"),
    (re.compile(r"gemini|gemma"), "google"),
    (re.compile(r"nemotron"), "nvidia"),
    (re.compile(r"qw(en|q)"), "qwen"),
    (re.compile(r"phi-|mai-"), "microsoft"),
    (re.compile(r"minimax"), "minimax"),
    (re.compile(r"kimi|moonshot"), "moonshot"),
    (re.compile(r"grok"), "xai"),
    (re.compile(r"llmsim"), "llmsim"),
)


def known_profile(model_id: str) -> Json | None:
    """What is known of a model of this name, in the wire's form."""
    family = _family(model_id)
    return None if family is None else family.to_profile()


def vendor_of(model_id: str) -> str | None:
    """Who made the model, by its name; one of contract 10.3 or None."""
    bare = _bare(model_id)
    return next((vendor for start, vendor in _VENDORS if start.match(bare)), None)


def is_chat_model(model_id: str) -> bool:
    """Whether a listed model is one to talk with, as far as its name tells."""
    return _NOT_CHAT.search(model_id) is None


def profile_of(model_id: str, stored: Mapping[str, Any] | None) -> ModelProfile:
    """What a turn goes by: the row's own profile, else what is known of the name."""
    family = _family(model_id)
    wire = stored or (None if family is None else family.to_profile())
    if not wire:
        return UNKNOWN_MODEL
    limits = wire.get("limits") or {}
    inputs = (wire.get("modalities") or {}).get("input")
    return ModelProfile(
        context_tokens=limits.get("context"),
        output_tokens=limits.get("output"),
        reasons=bool(wire.get("reasoning", False)),
        takes_temperature=bool(wire.get("temperature", True)),
        takes_images=bool(wire.get("attachment", True)) if inputs is None else "image" in inputs,
        calls_tools=bool(wire.get("tool_call", True)),
        efforts=_efforts(wire.get("reasoning_effort")),
        # A row's profile has no word for it.
        thinks_adaptively=family is not None and family.adaptive,
    )


def _efforts(wire: object) -> tuple[str, ...]:
    values = wire.get("values") if isinstance(wire, Mapping) else None
    return tuple(
        each["value"]
        for each in values or ()
        if isinstance(each, Mapping) and isinstance(each.get("value"), str)
    )


def _family(model_id: str) -> Family | None:
    bare = _bare(model_id)
    return next((family for start, family in _PATTERNS if start.match(bare)), None)


def _bare(model_id: str) -> str:
    """Without the maker that aggregators put before it, and with their dots as hyphens."""
    name = model_id.rpartition("/")[2].lower()
    return re.sub(r"(?<=\d)\.(?=\d)", "-", name) if name.startswith("claude") else name
