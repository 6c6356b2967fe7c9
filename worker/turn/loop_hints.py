"""Tells a model that it repeats itself (capability `loop_detection`).  Pure.

Derived from the transcript alone, so that it is the same on any worker, and each hint
stays where it is as the transcript grows (which a provider's prompt cache needs).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import orjson

from common.domain.capability_catalog.loop_detection import DEFAULT_THRESHOLD, LOOP_DETECTION
from common.domain.turn import ToolCall
from worker.capabilities.composition import Composition
from worker.llm.driver import ModelMessage

_HINT: Final = (
    "\n\n[Loop detected: this call was made {count} times with the same arguments and the"
    " same result. Do not repeat it; try another way, or say what keeps you from going on.]"
)


def with_loop_hints(
    transcript: tuple[ModelMessage, ...], composition: Composition
) -> tuple[ModelMessage, ...]:
    """The transcript, hints added if the capability is granted."""
    config = composition.config_of(LOOP_DETECTION.id)
    if config is None:
        return transcript
    threshold = config.get("threshold", DEFAULT_THRESHOLD)
    return tuple(hinted(transcript, threshold=int(threshold)))


def hinted(transcript: Iterable[ModelMessage], *, threshold: int) -> Iterable[ModelMessage]:
    """Results of calls made `threshold` times or more since the user last spoke get a hint."""
    calls: dict[str, ToolCall] = {}
    counts: Counter[tuple[str, bytes, str]] = Counter()
    for message in transcript:
        if message.role == "user":
            counts.clear()
        calls.update({call.id: call for call in message.tool_calls})
        call = calls.get(message.tool_call_id or "") if message.role == "tool" else None
        if call is None:
            yield message
            continue
        given = [call.arguments, call.malformed]
        arguments = orjson.dumps(given, option=orjson.OPT_SORT_KEYS)
        same = (call.name, arguments, message.text)
        counts[same] += 1
        if counts[same] < threshold:
            yield message
        else:
            yield replace(message, text=message.text + _HINT.format(count=counts[same]))
