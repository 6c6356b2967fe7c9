"""No file, however damaged, does worse to the walk along its blocks than being refused."""

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.domain.image import HEAD_BYTES, media_type_of
from common.images.structure import (
    Broken,
    Excessive,
    canvas_of,
    end_of,
    has_foreign_tail,
)
from tests.corpus import saved, two_halves
from tests.fuzzing import damaged, fuzzed

_SMALL = (24, 16)
_WHOLE = {
    "image/png": saved(two_halves(size=_SMALL), "PNG"),
    "image/jpeg": saved(two_halves(size=_SMALL), "JPEG"),
    "image/gif": saved(two_halves("P", size=_SMALL), "GIF"),
    "image/webp": saved(two_halves(size=_SMALL), "WEBP", lossless=True),
}


@pytest.mark.parametrize("media_type", _WHOLE)
def test_a_whole_file_ends_where_it_ends(media_type: str) -> None:
    whole = _WHOLE[media_type]
    assert media_type_of(whole[:HEAD_BYTES]) == media_type
    assert end_of(whole, media_type) == len(whole)
    assert not has_foreign_tail(whole, len(whole))


@fuzzed(400)
@given(
    data=damaged(list(_WHOLE.values())) | st.binary(max_size=64),
    media_type=st.sampled_from(sorted(_WHOLE)),
)
@example(data=b"\x89PNG\r\n\x1a\n" + b"\xff" * 8, media_type="image/png")
@example(data=b"RIFF\xff\xff\xff\xffWEBPVP8X", media_type="image/webp")
def test_any_bytes_have_an_end_or_are_refused(data: bytes, media_type: str) -> None:
    media_type_of(data[:HEAD_BYTES])
    with suppress(Broken, Excessive):
        end = end_of(data, media_type)
        assert 0 < end <= len(data)
        has_foreign_tail(data, end)
    size = canvas_of(data, media_type)
    assert size is None or all(side > 0 for side in size)
