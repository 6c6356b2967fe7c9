import dataclasses

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.turn.config import ModelChoice, ModelMissing, TurnConfig

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_settings = st.dictionaries(
    _text, st.integers(-5, 5) | _text | st.lists(_text, max_size=2), max_size=3
)
_models = st.builds(ModelChoice, _text, _text, _text, _settings) | st.builds(ModelMissing, _text)
_configs = st.builds(
    TurnConfig,
    harness_id=_text,
    agent_id=st.none() | _text,
    agent_version=st.none() | st.integers(1, 9),
    prompts=st.lists(_text, max_size=3).map(tuple),
    capabilities=st.lists(
        st.fixed_dictionaries({"ref": _text, "config": _settings}), max_size=3
    ).map(tuple),
    model=_models,
    max_iterations=st.integers(1, 1000),
    parallel_tool_calls=st.booleans(),
)
_CONFIG = TurnConfig(
    harness_id="harness_1",
    agent_id="agent_1",
    agent_version=3,
    prompts=("Be brief.",),
    capabilities=({"ref": "test_math", "config": {}},),
    model=ModelChoice("model_1", "llmsim-model", "llmsim", {"b": 1, "a": 2}),
    max_iterations=100,
    parallel_tool_calls=True,
)


@given(_configs)
def test_a_pinned_configuration_is_read_back_as_it_was(config: TurnConfig) -> None:
    stored = orjson.loads(orjson.dumps(config.to_json()))
    assert TurnConfig.from_json(stored) == config
    assert TurnConfig.from_json(stored).digest() == config.digest()


def test_the_digest_does_not_depend_on_the_order_of_keys() -> None:
    # PostgreSQL keeps JSON objects in an order of its own.
    model = ModelChoice("model_1", "llmsim-model", "llmsim", {"a": 2, "b": 1})
    assert dataclasses.replace(_CONFIG, model=model).digest() == _CONFIG.digest()


def test_the_digest_is_the_same_on_every_worker() -> None:
    assert _CONFIG.digest() == "e766d7883944fd6c643008b4135aa020"


@pytest.mark.parametrize(
    "changed",
    [
        {"harness_id": "harness_2"},
        {"agent_id": None},
        {"agent_version": 4},
        {"prompts": ()},
        {"prompts": ("Be", " brief.")},
        {"capabilities": ()},
        {"model": ModelMissing("")},
        {"model": ModelMissing("gpt")},
        {"model": ModelChoice("model_1", "llmsim-model", "llmsim", {})},
        {"max_iterations": 99},
        {"parallel_tool_calls": False},
    ],
    ids=str,
)
def test_another_configuration_has_another_digest(changed: dict[str, object]) -> None:
    fields = {field.name: getattr(_CONFIG, field.name) for field in dataclasses.fields(_CONFIG)}
    assert TurnConfig(**{**fields, **changed}).digest() != _CONFIG.digest()
