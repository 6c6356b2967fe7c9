"""How much is read of what a provider sends; the real sizes are met in contract."""

from collections.abc import Iterator

import httpx2
import pytest

from worker.llm.bounded import BoundedStream, bound
from worker.llm.driver import FailureReason, LLMFailure


class _Source(httpx2.SyncByteStream):
    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks
        self.taken = 0
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.taken += 1
            yield chunk

    def close(self) -> None:
        self.is_closed = True


def _bounded(source: _Source) -> BoundedStream:
    return BoundedStream(source, longest_answer=1000, longest_event=100, most_lines=5)


def _is_refused(*chunks: bytes) -> bool:
    try:
        read = b"".join(_bounded(_Source(*chunks)))
    except LLMFailure:
        return True
    assert read == b"".join(chunks)
    return False


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_events_of_ordinary_size_pass_however_they_are_cut(end: bytes) -> None:
    whole = (b"data: " + b"x" * 40 + end) * 15
    for size in (1, 2, 3, 7, 50, 1000):
        chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
        assert not _is_refused(*chunks)


def test_a_line_without_end_is_not_read_on() -> None:
    source = _Source(*[b"x" * 30] * 20)
    with pytest.raises(LLMFailure) as refused:
        list(_bounded(source))
    assert source.taken == 4
    assert (refused.value.reason, refused.value.may_retry) == (FailureReason.UNAVAILABLE, False)
    assert "too large" in refused.value.detail


def test_neither_is_an_event_of_many_lines() -> None:
    assert _is_refused(*[b"data: x\n"] * 6)
    assert _is_refused(b"data: x\r" * 6)
    assert not _is_refused(*[b"data: x\n"] * 5)


def test_nor_an_answer_of_many_events() -> None:
    assert not _is_refused(*[b"data: xx\n\n"] * 100)
    assert _is_refused(*[b"data: xx\n\n"] * 101)


def test_what_comes_compressed_is_not_opened() -> None:
    source = _Source(b"bomb")
    response = httpx2.Response(200, headers={"content-encoding": "gzip"}, stream=source)
    bound(response)
    with pytest.raises(LLMFailure):
        response.read()
    assert (source.taken, source.is_closed) == (0, True)


@pytest.mark.parametrize("headers", [{}, {"content-encoding": "identity"}])
def test_what_comes_as_it_is_is_read(headers: dict[str, str]) -> None:
    source = _Source(b"hello")
    response = httpx2.Response(200, headers=headers, stream=source)
    bound(response)
    assert response.read() == b"hello"
    response.close()
    assert source.is_closed
