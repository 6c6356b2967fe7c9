"""How many examples a fuzz test tries: few and always the same in the suite, many and new ones
with the profile `long` (`make fuzz`)."""

from collections.abc import Sequence

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

LONG = "long"
_LONG_FACTOR = 50
_SLOW_MACHINES = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)


def register_profile() -> None:
    """Make `long` a profile that can be loaded."""
    settings.register_profile(LONG, max_examples=3000, deadline=None, derandomize=False)


def fuzzed(examples: int) -> settings:
    """Settings for a test that tries so many examples in the suite."""
    is_long = settings.get_current_profile_name() == LONG
    return settings(
        max_examples=examples * _LONG_FACTOR if is_long else examples,
        deadline=None,
        suppress_health_check=_SLOW_MACHINES,
    )


def damaged(wholes: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """One of these, with some bytes overwritten, taken out, repeated or put in."""
    return st.builds(
        _damage,
        st.sampled_from(wholes),
        st.lists(
            st.tuples(
                st.floats(0, 1, exclude_max=True),
                st.integers(0, 12),
                st.binary(max_size=8) | st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\x7f\xff" * 2]),
                st.booleans(),
            ),
            max_size=6,
        ),
    )


def _damage(whole: bytes, wounds: list[tuple[float, int, bytes, bool]]) -> bytes:
    for place, length, instead, is_repeated in wounds:
        at = int(place * len(whole))
        removed = whole[at : at + length]
        whole = whole[:at] + instead + (removed * 2 if is_repeated else b"") + whole[at + length :]
    return whole
