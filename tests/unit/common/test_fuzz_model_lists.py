"""Whatever a provider lists, a model of it is one that can be stored."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from common import model_listing
from common.domain.text import is_storable
from tests.fuzzing import fuzzed

_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)
_tokens = st.integers(-1, 2**33) | _anything
_entries = st.fixed_dictionaries(
    {"id": st.sampled_from(["gpt-5", "claude-sonnet-5-5", "x"]) | _anything},
    optional={
        "display_name": _anything,
        "name": _anything,
        "context_length": _tokens,
        "max_model_len": _tokens,
        "max_output_tokens": _tokens,
        "top_provider": _anything | st.fixed_dictionaries({"max_completion_tokens": _tokens}),
        "architecture": _anything | st.fixed_dictionaries({"input_modalities": _anything}),
        "supported_parameters": _anything,
    },
)


@fuzzed(300)
@given(_entries | st.dictionaries(st.text(max_size=8), _anything, max_size=4))
def test_any_entry_is_a_model_or_none(entry: dict[str, object]) -> None:
    listed = model_listing._listed(entry)

    if listed is not None:
        assert listed.model_id.strip()
        assert is_storable(listed.model_id)
        assert is_storable(listed.display_name)
        profile = orjson.loads(orjson.dumps(listed.profile))
        if profile is not None:
            assert 0 < profile["limits"]["output"] <= profile["limits"]["context"]
