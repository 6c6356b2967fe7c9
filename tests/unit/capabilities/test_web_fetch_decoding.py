import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.capabilities.web_fetch.decoding import CannotDecode, decoded

_BOMB = b"\0" * 20_000_000
_PIECE = 64 * 1024


@pytest.mark.parametrize(
    ("packed", "encoding"), [(gzip.compress(_BOMB), "gzip"), (zlib.compress(_BOMB), "deflate")]
)
def test_no_piece_of_a_bomb_is_large(packed: bytes, encoding: str) -> None:
    pieces = decoded([packed], encoding)

    sizes = [len(next(pieces)) for _ in range(10)]

    assert max(sizes) <= _PIECE


@given(st.binary(max_size=5000), st.integers(min_value=1, max_value=50))
def test_whatever_was_packed_comes_out_however_it_is_cut(raw: bytes, size: int) -> None:
    plain_deflate = zlib.compress(raw)[2:-4]
    for packed, encoding in (
        (gzip.compress(raw), "gzip"),
        (gzip.compress(raw), " GZIP "),
        (zlib.compress(raw), "deflate"),
        (raw, "identity"),
        (raw, ""),
    ):
        chunks = [packed[at : at + size] for at in range(0, len(packed), size)]
        assert b"".join(decoded(chunks, encoding)) == raw
    if raw:
        assert b"".join(decoded([plain_deflate], "deflate")) == raw


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x"])
def test_an_encoding_that_was_not_asked_for(encoding: str) -> None:
    with pytest.raises(CannotDecode):
        list(decoded([b"x"], encoding))
