"""What is known of providers and models without asking anybody."""

import typing

import orjson
import pytest
from anthropic import _constants as anthropic_constants
from anthropic.types.model import Model as AnthropicModel
from everruns_sdk.models import ModelProfile as SdkProfile
from openai.types.shared.chat_model import ChatModel

from common.domain.model import UNKNOWN_MODEL, ModelProfile
from common.domain.model_catalog import is_chat_model, known_profile, profile_of, vendor_of
from common.domain.provider import (
    PROVIDER_TYPES,
    checked_url,
    fits_environment_key,
    is_usable_without_key,
    offered_types,
)
from common.model_listing import ANTHROPIC_VERSION
from dev.paths import ROOT
from worker.llm.clients import ANTHROPIC_URL, OPENAI_URL, OPENROUTER_URL

PREDEFINED = {
    "openai": ("gpt-6.2-sol", "gpt-6.2-astra", "gpt-6-luna", "gpt-4.1"),
    "anthropic": (
        "claude-sonnet-5-5",
        "claude-opus-5-5",
        "claude-haiku-5-5",
        "claude-haiku-4-5",
    ),
}


def test_lists_are_asked_where_calls_are_made() -> None:
    assert PROVIDER_TYPES["openai"].default_url == OPENAI_URL
    assert PROVIDER_TYPES["openai_completions"].default_url == OPENAI_URL
    assert PROVIDER_TYPES["openrouter"].default_url == OPENROUTER_URL
    assert PROVIDER_TYPES["anthropic"].default_url == ANTHROPIC_URL
    assert anthropic_constants.ANTHROPIC_API_VERSION == ANTHROPIC_VERSION


def test_the_simulated_type_is_offered_in_development_alone() -> None:
    assert "llmsim" in offered_types(is_development=True)
    assert "llmsim" not in offered_types(is_development=False)


def test_predefined_models_are_ones_that_the_providers_libraries_name() -> None:
    migration = (ROOT / "migrations/versions/0009_providers_models.py").read_text()
    known: set[str] = set(typing.get_args(ChatModel))
    for part in typing.get_args(AnthropicModel):
        known |= set(typing.get_args(part))

    for names in PREDEFINED.values():
        for name in names:
            assert name in known
            assert f"'{name}'" in migration
            assert known_profile(name) is not None


@pytest.mark.parametrize("name", sorted(set(typing.get_args(ChatModel))))
def test_every_known_profile_satisfies_the_official_client(name: str) -> None:
    profile = known_profile(name)
    if profile is not None:
        SdkProfile.model_validate(profile)
    # What the provider's own library calls a chat model is listed, but for sound and images.
    assert is_chat_model(name) or "audio" in name


@pytest.mark.parametrize(
    ("name", "context", "reasons", "temperature"),
    [
        ("gpt-6.2-sol", 1_050_000, True, False),
        ("gpt-5.4-mini-2026-03-17", 400_000, True, False),
        ("gpt-5-chat-latest", 128_000, False, True),
        ("gpt-4o-mini", 128_000, False, True),
        ("o4-mini", 200_000, True, False),
        ("claude-opus-5-5", 1_000_000, True, False),
        ("anthropic/claude-opus-4.6", 1_000_000, True, True),
        ("claude-sonnet-4-5-20250929", 200_000, True, True),
        ("claude-3-haiku-20240307", 200_000, False, True),
        ("claude-3-7-sonnet-20250219", 200_000, True, True),
        ("claude-opus-9", 200_000, True, False),
        ("openai/gpt-4.1", 1_047_576, False, True),
    ],
)
def test_well_known_models_are_known(
    name: str, context: int, *, reasons: bool, temperature: bool
) -> None:
    profile = profile_of(name, None)

    assert (profile.context_tokens, profile.reasons) == (context, reasons)
    assert profile.takes_temperature == temperature


@pytest.mark.parametrize("name", ["llama3.2", "gpt-60", "mistral", "o5", "notclaude-3"])
def test_other_models_are_unknown(name: str) -> None:
    assert profile_of(name, None) == UNKNOWN_MODEL
    assert known_profile(name) is None


@pytest.mark.parametrize(
    ("name", "adaptive"),
    [
        ("claude-opus-5-5", True),
        ("claude-sonnet-5", True),
        ("claude-haiku-5-5", True),
        ("anthropic/claude-opus-4.7", True),
        ("claude-opus-4-6", True),
        ("claude-opus-4-5-20251101", False),
        ("claude-haiku-4-5", False),
        ("claude-3-7-sonnet-20250219", False),
        ("claude-of-next-year", True),
        ("gpt-5", False),
    ],
)
def test_it_is_known_which_models_decide_how_long_they_think(name: str, *, adaptive: bool) -> None:
    assert profile_of(name, None).thinks_adaptively == adaptive
    # What a row says of the model has no word for it, so it does not unsay it either.
    stored = {"reasoning": True, "limits": {"context": 10, "output": 5}}
    assert profile_of(name, stored).thinks_adaptively == adaptive


def test_a_claude_of_an_unknown_name_may_think_and_write_as_much_as_the_contract_says() -> None:
    profile = profile_of("claude-next", None)
    assert (profile.reasons, profile.output_tokens) == (True, 16384)


def test_efforts_are_those_that_the_profile_lists() -> None:
    assert profile_of("gpt-5", None).efforts == ("minimal", "low", "medium", "high")
    assert profile_of("claude-opus-4-5", None).efforts == ()
    values = [{"name": "High", "value": "high"}, {"name": "?"}, "low"]
    stored = {"reasoning": True, "reasoning_effort": {"default": "high", "values": values}}
    assert profile_of("some-model", stored).efforts == ("high",)


def test_a_pinned_profile_is_read_back_as_it_was_also_one_of_the_previous_release() -> None:
    profile = profile_of("claude-opus-5", {"reasoning_effort": {"values": [{"value": "low"}]}})
    assert (profile.efforts, profile.thinks_adaptively) == (("low",), True)
    assert ModelProfile.from_json(orjson.loads(orjson.dumps(profile.to_json()))) == profile
    assert ModelProfile.from_json({"reasons": True}) == ModelProfile(reasons=True)


def test_a_rows_own_profile_counts_before_what_is_known() -> None:
    stored = {"limits": {"context": 10, "output": 5}, "tool_call": False, "reasoning": True}
    assert profile_of("gpt-4o", stored) == ModelProfile(
        context_tokens=10, output_tokens=5, reasons=True, calls_tools=False
    )


@pytest.mark.parametrize(
    ("name", "vendor"),
    [
        ("gpt-4o", "openai"),
        ("o3-mini", "openai"),
        ("meta/llama-3", None),
        ("google/gemini-3-pro", "google"),
        ("qwen3:8b", "qwen"),
        ("x-ai/grok-4", "xai"),
        ("moonshotai/kimi-k3", "moonshot"),
        ("llmsim-model", "llmsim"),
        ("olmo", None),
    ],
)
def test_vendors_are_told_by_the_name(name: str, vendor: str | None) -> None:
    assert vendor_of(name) == vendor


@pytest.mark.parametrize(
    "name", ["text-embedding-3-small", "whisper-1", "tts-1-hd", "dall-e-3", "gpt-realtime"]
)
def test_what_one_cannot_talk_with_is_no_chat_model(name: str) -> None:
    assert not is_chat_model(name)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://api.example/v1/", "https://api.example/v1"),
        (" http://localhost:11434/v1 ", "http://localhost:11434/v1"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://10.0.0.7/v1", "http://10.0.0.7/v1"),
    ],
)
def test_an_address_is_kept_without_its_last_slash(given: str, kept: str) -> None:
    assert checked_url(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "",
        "localhost:8000",
        "file:///etc/passwd",
        "//models.example",
        "https://",
        "https://u@models.example",
        "https://models.example/#a",
        "https://models.example/v1?",
        "https://models.example\\@evil.example",
        "https://models.example/a b",
        "https://models.example/\r\nHost: x",
        "http://169.254.169.254/",
        "http://169.254.43518/",
        "http://2852039166/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://metadata.google.internal./",
        "http://[::1",
    ],
)
def test_what_is_no_address_to_send_a_key_to_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="Must") as refused:
        checked_url(given)
    assert not given.strip() or given.strip() not in str(refused.value)


def test_environment_keys_fit_the_providers_own_address_alone() -> None:
    assert fits_environment_key("openai", None)
    assert not fits_environment_key("openai", "https://api.openai.com/v1")
    assert not fits_environment_key("openrouter", None)
    assert not fits_environment_key("nonsense", None)
    assert is_usable_without_key("openai_completions", "http://localhost:11434/v1")
    assert not is_usable_without_key("openai_completions", None)
    assert is_usable_without_key("llmsim", None)
