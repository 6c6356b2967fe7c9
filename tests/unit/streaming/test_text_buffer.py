"""The shared text: cut, refused, superseded, escaped once."""

import json

from hypothesis import given
from hypothesis import strategies as st

from api.streaming.text_buffer import Push, TextBuffer
from common.domain.text import TEXT_LIMIT_BYTES

TEXTS = st.text(min_size=1, max_size=40).map(str.encode)


def test_chunks_that_follow_one_another_grow_it() -> None:
    buffer = TextBuffer()
    assert buffer.push(4, 0, b"ab") is Push.GREW
    assert buffer.push(4, 2, b"c") is Push.GREW
    assert (buffer.opener, buffer.end, buffer.part(0, 3)) == (4, 3, b"abc")


def test_an_overlap_is_cut_and_what_is_known_is_ignored() -> None:
    buffer = TextBuffer()
    buffer.push(4, 0, b"abc")
    assert buffer.push(4, 1, b"bcd") is Push.GREW
    assert buffer.push(4, 0, b"abc") is Push.KNOWN
    assert buffer.part(0, 4) == b"abcd"


def test_a_hole_is_refused() -> None:
    buffer = TextBuffer()
    buffer.push(4, 0, b"ab")
    assert buffer.push(4, 3, b"d") is Push.GAP
    assert buffer.end == 2
    assert buffer.push(5, 1, b"b") is Push.GAP
    assert (buffer.opener, buffer.end) == (5, 0)


def test_a_newer_stream_supersedes_and_an_older_one_is_ignored() -> None:
    buffer = TextBuffer()
    buffer.push(4, 0, b"ab")
    assert buffer.push(6, 0, b"x") is Push.GREW
    assert buffer.push(4, 2, b"c") is Push.KNOWN
    assert not buffer.follow(4)
    assert not buffer.follow(6)
    assert buffer.part(0, 1) == b"x"


def test_a_released_text_is_gone_and_takes_no_more() -> None:
    buffer = TextBuffer()
    assert not buffer.is_open
    buffer.push(4, 0, b"ab")
    assert buffer.is_open
    buffer.release()
    assert not buffer.is_open
    assert buffer.push(4, 0, b"ab") is Push.KNOWN
    assert buffer.end == 0
    assert buffer.push(5, 0, b"x") is Push.GREW


def test_more_than_a_text_may_be_is_refused() -> None:
    buffer = TextBuffer()
    assert buffer.push(4, 0, b"x" * (TEXT_LIMIT_BYTES + 1)) is Push.KNOWN
    assert buffer.end == 0


@given(st.lists(TEXTS, min_size=1, max_size=12), st.data())
def test_chunks_in_any_order_with_repeats_give_a_prefix_of_the_text(
    chunks: list[bytes], data: st.DataObject
) -> None:
    whole = b"".join(chunks)
    starts = [sum(map(len, chunks[:place])) for place in range(len(chunks))]
    sent = data.draw(st.lists(st.sampled_from(list(zip(starts, chunks, strict=True))), max_size=30))
    buffer = TextBuffer()
    for start, chunk in sent:
        buffer.push(1, start, chunk)
    assert _read(buffer.part(0, buffer.end)) == whole[: buffer.end].decode()
    buffer.push(1, 0, whole)
    assert _read(buffer.part(0, buffer.end)) == whole.decode()


@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_accumulated_is_the_text_so_far_at_every_place(chunks: list[bytes]) -> None:
    buffer = TextBuffer()
    so_far = b""
    for chunk in chunks:
        buffer.push(1, len(so_far), chunk)
        before, so_far = so_far, so_far + chunk
        assert _read(buffer.accumulated(len(so_far))) == so_far.decode()
        assert _read(buffer.accumulated(len(before))) == before.decode()
    assert buffer.accumulated(len(so_far) + 1) is None


def _read(escaped: bytes | None) -> str:
    assert escaped is not None
    text: str = json.loads(b'"' + escaped + b'"')
    return text
