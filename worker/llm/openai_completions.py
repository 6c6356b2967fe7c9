"""The Chat Completions API: OpenAI's, Azure's, OpenRouter's, and of every server alike."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, Final

from common.domain.events import Usage
from worker.llm.border import token_count
from worker.llm.calls import stream_call
from worker.llm.client_cache import ClientCache
from worker.llm.clients import openai_client
from worker.llm.driver import (
    Endpoint,
    ImageLimits,
    LLMRequest,
    Reply,
    Stop,
    Streamed,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
)
from worker.llm.failures import cut_off, unavailable
from worker.llm.openai_completions_request import completions_request
from worker.llm.sizes import MOST_PARTS, too_large
from worker.llm.tool_arguments import CallParts, written_calls

_CLIENTS: Final = ClientCache(openai_client)

_FINISH_REASONS: Final = {"function_call": "tool_calls", "content_filter": "refusal"}
# What ends an answer before the model has; some servers have words of their own for it.
_CUT_REASONS: Final = frozenset({"length", "max_tokens", "model_length", "content_filter"})
# Where servers put what OpenAI itself does not show; the first that has a text counts.
_THINKING_FIELDS: Final = ("reasoning_content", "reasoning")


class OpenAICompletions:
    """An `LLMDriver` for one endpoint."""

    image_limits = ImageLimits()

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def stream(self, request: LLMRequest, *, stop: Stop) -> Generator[Streamed, None, None]:
        """Yield the answer as it comes.

        Raises:
            LLMFailure: no answer, or none to the end.
        """
        return stream_call(
            endpoint=self._endpoint,
            clients=_CLIENTS,
            open_stream=lambda client: client.chat.completions.create(
                **completions_request(request, self._endpoint)
            ),
            read=lambda chunks: _Answer(self._endpoint, request.model).read(chunks),
            stop=stop,
        )


make_driver: Final = OpenAICompletions


class _Answer:
    """What has come of one answer so far."""

    def __init__(self, endpoint: Endpoint, model: str) -> None:
        self._endpoint = endpoint
        self._model = model
        self._response_id: str | None = None
        self._usage = Usage()
        self._calls: list[CallParts] = []
        self._at: dict[int, CallParts] = {}
        self._thoughts: list[str] = []
        self._finish_reason: str | None = None
        self._is_refused = False

    def read(self, chunks: Iterator[Any]) -> Iterator[Streamed]:
        for chunk in chunks:
            self._response_id = chunk.id or self._response_id
            self._model = chunk.model or self._model
            if chunk.usage is not None:
                self._usage = _usage(chunk.usage)
            # None in the chunk with the usage, and in Azure's first one.
            for choice in (chunk.choices or ())[:1]:
                if choice.delta is not None:
                    yield from self._take(choice.delta)
                self._finish_reason = choice.finish_reason or self._finish_reason
        yield self._reply()

    def _take(self, delta: Any) -> Iterator[Streamed]:
        thought = _thought(delta)
        if thought:
            self._thoughts.append(thought)
            yield ThinkingDelta(thought)
        text = _text(delta.content)
        if text:
            yield TextDelta(text)
        if delta.refusal:
            self._is_refused = True
            yield TextDelta(delta.refusal)
        for piece in delta.tool_calls or ():
            self._take_call(piece)

    def _take_call(self, piece: Any) -> None:
        call = self._call_of(piece)
        call.id = call.id or piece.id or ""
        if piece.function is not None:
            call.name = call.name or piece.function.name or ""
            call.add(piece.function.arguments or "")

    def _call_of(self, piece: Any) -> CallParts:
        known = self._at.get(piece.index)
        # Some servers number every call 0 or none at all, and send each whole.
        is_another = known is not None and piece.id and known.id and piece.id != known.id
        if known is None or is_another:
            if len(self._calls) == MOST_PARTS:
                raise too_large()
            known = self._at[piece.index] = CallParts("", "")
            self._calls.append(known)
        return known

    def _reply(self) -> Reply:
        finish = self._finish_reason
        if finish is None:
            raise cut_off(self._endpoint)
        if finish == "error":
            raise unavailable("the provider gave up on the answer", self._endpoint)
        thoughts = "".join(self._thoughts)
        return Reply(
            usage=self._usage,
            finish_reason=self._finish(finish),
            model=self._model,
            # Of an answer that it took back the model wants nothing done.
            tool_calls=()
            if self._is_taken_back(finish)
            else written_calls(self._calls, is_cut=finish in _CUT_REASONS),
            response_id=self._response_id,
            thinking=(ThinkingBlock(thoughts, self._endpoint.provider_type),) if thoughts else (),
        )

    def _is_taken_back(self, word: str) -> bool:
        return self._is_refused or word == "refusal"

    def _finish(self, word: str) -> str:
        if self._is_taken_back(word):
            return "refusal"
        if word == "stop" and self._calls:
            return "tool_calls"
        return _FINISH_REASONS.get(word, word)


def _thought(delta: Any) -> str:
    for name in _THINKING_FIELDS:
        text = getattr(delta, name, None)
        if isinstance(text, str) and text:
            return text
    return ""


def _text(content: Any) -> Any:
    """The text of a delta; some servers send it as parts, as in a request."""
    if not isinstance(content, list):
        return content
    return "".join(part["text"] for part in content if part.get("type", "text") == "text")


def _usage(usage: Any) -> Usage:
    details = getattr(usage, "prompt_tokens_details", None)
    return Usage(
        input_tokens=token_count(getattr(usage, "prompt_tokens", None)),
        output_tokens=token_count(getattr(usage, "completion_tokens", None)),
        cache_read_tokens=token_count(getattr(details, "cached_tokens", None)),
        cache_creation_tokens=token_count(getattr(details, "cache_write_tokens", None)),
    )
