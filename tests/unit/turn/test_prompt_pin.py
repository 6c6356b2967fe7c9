from dataclasses import replace
from types import MappingProxyType

from common.domain.events import Json
from worker.capabilities.composition import Composition
from worker.turn.prompt_pin import PromptPin

_PREPARED = Composition((), ("a", "b"), MappingProxyType({}), MappingProxyType({}), True)  # noqa: FBT003


def _pin(kept: dict[str, Json], prompts: list[str] | None = None) -> PromptPin:
    return PromptPin(keep=kept.__setitem__, prompts=prompts)


def test_what_was_prepared_is_kept_under_its_digest() -> None:
    kept: dict[str, Json] = {}
    pin = _pin(kept)
    assert pin.hold(_PREPARED) == _PREPARED
    assert kept == {pin.digest: {"prompts": ["a", "b"]}}


def test_what_is_fixed_is_not_kept() -> None:
    kept: dict[str, Json] = {}
    pin, fixed = _pin(kept), replace(_PREPARED, is_prepared=False)
    assert pin.hold(fixed) == fixed
    assert (kept, pin.digest) == ({}, None)


def test_what_another_worker_kept_is_taken_over_and_not_kept_again() -> None:
    kept: dict[str, Json] = {}
    pin = _pin(kept, ["a"])
    assert pin.hold(_PREPARED).prompts == ("a",)
    assert (kept, pin.digest) == ({}, None)


def test_a_prompt_that_cannot_be_stored_is_made_so_for_the_model_too() -> None:
    kept: dict[str, Json] = {}
    held = _pin(kept).hold(replace(_PREPARED, prompts=("a\0\ud800",)))
    assert held.prompts == ("a\ufffd\ufffd",)
    assert list(kept.values()) == [{"prompts": ["a\ufffd\ufffd"]}]
