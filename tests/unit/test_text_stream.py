"""The worker's end of a text stream, over a Redis that does as it is told."""

from collections.abc import Sequence
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from common.live import TextChunk
from worker.text_stream import TextStream, TextStreams

SESSION = UUID(int=7)


class Store:
    """What Redis would hold of one stream, and what it answers."""

    def __init__(self) -> None:
        self.text = b""
        self.pushes = 0
        self.is_down = False

    def push_text(self, chunks: Sequence[TextChunk]) -> list[int | None] | None:
        self.pushes += 1
        if self.is_down:
            return None
        return [self._push(chunk) for chunk in chunks]

    def _push(self, chunk: TextChunk) -> int | None:
        if chunk.start != len(self.text):
            return len(self.text)
        self.text += chunk.text
        return None


def test_the_first_piece_goes_at_once_and_the_rest_waits_for_a_round() -> None:
    store = Store()
    with TextStreams(store, flush_seconds=60).opened(SESSION, 5) as text:
        text.add("Hello")
        text.add(", world")
        assert (store.text, store.pushes) == (b"Hello", 1)
    tail = text.tail()
    assert tail is not None
    assert (tail.start, tail.text) == (5, b", world")


def test_nothing_is_left_over_of_a_stream_without_text() -> None:
    with TextStreams(Store(), flush_seconds=60).opened(SESSION, 5) as text:
        text.add("")
    assert text.tail() is None


@given(
    st.lists(
        st.one_of(
            st.text(min_size=1, max_size=8),
            st.sampled_from(["push", "lose", "shorten", "down", "up"]).map(lambda op: (op,)),
        )
    )
)
def test_redis_ends_up_with_the_text_whatever_it_loses(steps: list[str | tuple[str]]) -> None:
    store = Store()
    streams = TextStreams(store, flush_seconds=60)
    stream = TextStream(SESSION, 5)
    written = ""
    for step in steps:
        match step:
            case str():
                stream.add(step)
                written += step
            case ("push",):
                streams.push_now(stream)
            case ("lose",):
                store.text = b""
            case ("shorten",):
                store.text = written.encode()[: len(store.text) // 2]
            case _:
                store.is_down = step == ("down",)
        assert written.encode().startswith(store.text)
    store.is_down = False
    # A push that finds the text shorter is followed by one from where it ends.
    for _ in range(3):
        stream.add("!")
        written += "!"
        streams.push_now(stream)
    assert store.text == written.encode()
