"""What the turn asks of a model and what it gets back; every driver speaks this."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

from common.domain.events import Usage
from common.domain.model import UNKNOWN_MODEL, ModelProfile
from common.domain.turn import ToolCall

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider is reached, and as whom.

    Attributes:
        provider_id: shown form of the provider's row; also what its breaker is named by.
        base_url: None for the provider's own address.
        api_key: None when there is none; never logged, never in an error.
        settings: of the provider's row, such as headers or an API version.
    """

    provider_id: str
    provider_type: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InlineImage:
    """A picture's bytes; `media_type` is one of image/png, jpeg, gif, webp."""

    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkedImage:
    """A picture that the provider fetches itself."""

    url: str


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What a provider takes of images; larger ones are made smaller, surplus ones left out.

    Attributes:
        side: pixels of the longer side.
        image_bytes: of one image, before it is encoded for the wire.
        request_bytes: of all images of one request together.
    """

    side: int = 2048
    image_bytes: int = 5_000_000
    request_bytes: int = 20_000_000
    images: int = 100


@dataclass(frozen=True, slots=True)
class ThinkingBlock:
    """What a model thought before it answered.

    Attributes:
        text: readable thinking or its summary, may be empty.
        provider_type: in whose format `replay` is.
        replay: what the provider wants back unchanged with the next request (signature,
            encrypted content); kept beside the log and shown to nobody.
        provider_id: shown form of the provider's row that it came from, who alone is given
            it back; known once the block was kept, empty for those of the previous release.
    """

    text: str
    provider_type: str
    replay: Mapping[str, Any] = field(default_factory=dict, repr=False)
    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class ModelMessage:
    """One message of the conversation as a model sees it.

    Attributes:
        tool_calls: only with role `assistant`.
        tool_call_id: only with role `tool`: the call that `text` answers.
        images: only with role `user`.
        thinking: only with role `assistant`: what came before `text`, in its order.
        is_error: only with role `tool`.
    """

    role: Literal["user", "assistant", "tool"]
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    images: tuple[InlineImage | LinkedImage, ...] = ()
    thinking: tuple[ThinkingBlock, ...] = ()
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class ToolDeclaration:
    """A tool as it is offered to the model; `parameters` is a JSON Schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LLMRequest:
    """One call of a model.

    Attributes:
        step: counts the reason steps of this session's log that are completed, so that a
            scripted model needs no memory of its own.  Asked only by who needs it: it
            costs a look into the log.
        settings: the driver's own options for this call.
        effort: how much to think; None leaves it to the model.
        profile: what is known of the model: its limits and what it accepts.
        cache_key: the same for calls that share a beginning, for providers that ask for one.
        attempt: how often this call has been tried before; the retrying layer counts.
    """

    model: str
    system_prompt: str
    messages: tuple[ModelMessage, ...]
    tools: tuple[ToolDeclaration, ...] = ()
    max_tokens: int | None = None
    temperature: float | None = None
    parallel_tool_calls: bool = True
    step: Callable[[], int] = lambda: 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    effort: Effort | None = None
    profile: ModelProfile = UNKNOWN_MODEL
    cache_key: str | None = None
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """More of what the model lets see of its thinking."""

    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The end of an answer: always the last thing a stream yields.

    Attributes:
        tool_calls: `id` may be empty or already used; the turn replaces it then.
        finish_reason: `stop`, `tool_calls`, `length`, `refusal`, or the provider's own word.
        thinking: all of it, the streamed text included, with what is to be replayed.
    """

    usage: Usage
    finish_reason: str
    model: str
    tool_calls: tuple[ToolCall, ...] = ()
    response_id: str | None = None
    thinking: tuple[ThinkingBlock, ...] = ()


Streamed = TextDelta | ThinkingDelta | Reply


class FailureReason(StrEnum):
    """Why a call failed: the fine codes of contract 4.3 (c)."""

    RATE_LIMITED = "provider_rate_limited"
    USAGE_LIMIT_REACHED = "provider_usage_limit_reached"
    QUOTA_EXHAUSTED = "provider_quota_exhausted"
    UNAVAILABLE = "provider_unavailable"
    MISCONFIGURED = "provider_misconfigured"
    MODEL_UNAVAILABLE = "model_unavailable"
    MODEL_NOT_CONFIGURED = "model_not_configured"
    REQUEST_TOO_LARGE = "request_too_large"
    INVALID_TOOL_SCHEMA = "invalid_tool_schema"
    PROCESSING_ERROR = "processing_error"
    DEPENDENCY_UNAVAILABLE = "dependency_unavailable"


class LLMFailure(Exception):
    """A call that gave no answer.

    Attributes:
        detail: what the provider said; for logs and detailed disclosure only.
        may_retry: whether the same call may succeed a little later.
        retry_after_seconds: the provider's own wish, None when it has none.
    """

    def __init__(
        self,
        reason: FailureReason,
        detail: str,
        *,
        may_retry: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        self.may_retry = may_retry
        self.retry_after_seconds = retry_after_seconds


class Stop(Protocol):
    """Set when the call must end; drivers wait on it instead of sleeping."""

    def is_set(self) -> bool:
        """Whether the call must end now."""
        ...

    def wait(self, timeout: float | None = None, /) -> bool:
        """Return True as soon as the call must end, False after so many seconds."""
        ...


class LLMDriver(Protocol):
    """Streams one answer.  Closing the iterator aborts the call; no retries in here."""

    @property
    def image_limits(self) -> ImageLimits:
        """What the provider takes of images."""
        ...

    def stream(self, request: LLMRequest, *, stop: Stop) -> Generator[Streamed, None, None]:
        """Yield the text as it comes and the reply at the end; just end when stopped.

        Raises:
            LLMFailure: no answer, or none to the end.
        """
        ...
