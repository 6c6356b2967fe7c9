import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.domain.text import StorableStream, capped, is_storable, preview, storable

# As models and clients send it: surrogates on their own, in pairs, and NUL among plain text.
_raw_text = st.text(
    st.one_of(
        st.characters(exclude_categories=()),
        st.sampled_from("\x00\ud800\udbff\udc00\udfff\ud83d\ude00aé€😀"),
    ),
    max_size=40,
)


@st.composite
def _chunked(draw: st.DrawFn) -> list[str]:
    text = draw(_raw_text)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def _streamed(chunks: list[str], *, limit_bytes: int = 10**6) -> list[str]:
    stream = StorableStream(limit_bytes=limit_bytes)
    return [*(stream.feed(chunk) for chunk in chunks), stream.close()]


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        ("plain", "plain"),
        ("a\x00b", "a\ufffdb"),
        ("\ud83d", "\ufffd"),
        ("\ude00", "\ufffd"),  # noqa: PT014 - the linter takes all surrogates for one
        ("\ud83d\ude00", "😀"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ud83d\ude00x", "\ufffd😀x"),
        ("\ud83dx\ude00", "\ufffdx\ufffd"),
        ("\x00\ud83d\ude00\x00", "\ufffd😀\ufffd"),
    ],
)
def test_pairs_are_joined_and_each_unstorable_character_is_replaced(raw: str, stored: str) -> None:
    assert storable(raw) == stored


@given(_raw_text)
def test_what_is_storable_can_be_encoded_and_stays_as_it_is(raw: str) -> None:
    stored = storable(raw)
    assert is_storable(stored)
    assert "\x00" not in stored
    assert storable(stored) == stored
    assert stored.encode().decode() == stored
    if is_storable(raw):
        assert stored == raw


@given(_chunked())
@example(["\ud83d", "\ude00"])
@example(["\ud83d", "", "\ude00"])
@example(["a\ud83d", "\ud83d\ude00"])
@example(["\ud83d"])
def test_a_streamed_text_is_the_whole_text_made_storable(chunks: list[str]) -> None:
    assert "".join(_streamed(chunks)) == storable("".join(chunks))


@given(_chunked())
def test_every_chunk_that_goes_out_is_storable_by_itself(chunks: list[str]) -> None:
    assert all(is_storable(chunk) for chunk in _streamed(chunks))


def test_half_a_pair_waits_for_the_other_half() -> None:
    stream = StorableStream()
    assert stream.feed("look: \ud83d") == "look: "
    assert stream.feed("\ude00!") == "😀!"
    assert not stream.close()


def test_half_a_pair_at_the_end_is_not_lost() -> None:
    stream = StorableStream()
    assert not stream.feed("\ud83d")
    assert stream.close() == "\ufffd"


@given(chunks=_chunked(), limit_bytes=st.integers(0, 60))
def test_a_streamed_text_is_cut_where_the_whole_would_be(
    chunks: list[str], limit_bytes: int
) -> None:
    whole = storable("".join(chunks))
    streamed = "".join(_streamed(chunks, limit_bytes=limit_bytes))
    assert streamed == capped(whole, limit_bytes=limit_bytes)


@given(text=st.text(max_size=40), limit_bytes=st.integers(0, 80))
def test_a_cap_cuts_between_characters_and_as_late_as_it_can(text: str, limit_bytes: int) -> None:
    cut = capped(text, limit_bytes=limit_bytes)
    assert text.startswith(cut)
    assert len(cut.encode()) <= limit_bytes
    if cut != text:
        assert len(text[: len(cut) + 1].encode()) > limit_bytes


def test_nothing_follows_a_cut() -> None:
    # "é" has two bytes and does not fit; an "a" after it would, and leave a hole.
    assert _streamed(["xx", "é", "a"], limit_bytes=3) == ["xx", "", "", ""]


@pytest.mark.parametrize(
    ("text", "shown"), [("", ""), ("abc", "abc"), ("abcd", "abcd"), ("abcde", "abc…")]
)
def test_a_preview_is_the_start_of_the_text(text: str, shown: str) -> None:
    assert preview(text, characters=4) == shown
