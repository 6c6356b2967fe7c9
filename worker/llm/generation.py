"""What a request asks of the generation, as far as the model can do it."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import Final, get_args

from common.domain.model import UNKNOWN_MODEL
from worker.llm.driver import (
    Effort,
    Endpoint,
    InlineImage,
    LinkedImage,
    LLMRequest,
    ModelMessage,
)

# From the least on.
_EFFORTS: Final[tuple[Effort, ...]] = get_args(Effort)


def wished_effort(request: LLMRequest) -> Effort | None:
    """How much to think; None when not at all or when the model is known not to.

    Of a model that nothing is known of, the caller knows more than we do.
    """
    if request.effort is None or request.effort == "none" or not may_think(request):
        return None
    effort = _nearest(request.effort, request.profile.efforts)
    return None if effort == "none" else effort


def asked_effort(request: LLMRequest) -> Effort | None:
    """What is sent to a model that takes an effort by name; None to leave it to the model.

    One that knows no `none` is asked for as little as it can do.
    """
    if request.effort == "none" and request.profile.reasons:
        return _nearest("none", request.profile.efforts)
    return wished_effort(request)


def may_think(request: LLMRequest) -> bool:
    """Whether the model thinks, as far as anybody knows."""
    return request.profile.reasons or request.profile == UNKNOWN_MODEL


def _nearest(wish: Effort, listed: tuple[str, ...]) -> Effort:
    """The effort itself, or of those that a model lists the nearest; rather less than more."""
    known = [each for each in _EFFORTS if each in listed]
    # Who asks for some thinking is not answered with none, if there is a choice.
    known = [each for each in known if each != "none" or wish == "none"] or known
    if not known or wish in known:
        return wish
    place = _EFFORTS.index(wish)
    return min(known, key=lambda each: abs(_EFFORTS.index(each) - place))


def with_own_thinking(request: LLMRequest, endpoint: Endpoint) -> LLMRequest:
    """The request with no thinking but what came from this provider, for a model that thinks.

    What another account signed or encrypted is refused by some, and nothing that it need see.
    """
    provider_id = endpoint.provider_id if may_think(request) else ""
    messages = tuple(_with_thinking_of(provider_id, message) for message in request.messages)
    return replace(request, messages=messages)


def _with_thinking_of(provider_id: str, message: ModelMessage) -> ModelMessage:
    if not message.thinking:
        return message
    own = (block for block in message.thinking if provider_id and block.provider_id == provider_id)
    return replace(message, thinking=tuple(own))


def wished_temperature(request: LLMRequest) -> float | None:
    """The temperature, None when none is asked for, or when the model refuses any."""
    if not request.profile.takes_temperature or wished_effort(request) is not None:
        return None
    return request.temperature


def image_url(image: InlineImage | LinkedImage) -> str:
    """Where the picture is: its address, or itself as a data URL."""
    if isinstance(image, LinkedImage):
        return image.url
    return f"data:{image.media_type};base64,{b64encode(image.data).decode()}"
