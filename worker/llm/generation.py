"""What a request asks of the generation, as far as the model can do it."""

from __future__ import annotations

from base64 import b64encode

from common.domain.model import UNKNOWN_MODEL
from worker.llm.driver import Effort, InlineImage, LinkedImage, LLMRequest


def wished_effort(request: LLMRequest) -> Effort | None:
    """How much to think; None when not at all or when the model is known not to.

    Of a model that nothing is known of, the caller knows more than we do.
    """
    if request.effort in (None, "none"):
        return None
    may_think = request.profile.reasons or request.profile == UNKNOWN_MODEL
    return request.effort if may_think else None


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
