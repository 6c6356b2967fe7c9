"""How much of a provider's answer is taken in (I11); what is more is refused or cut."""

from __future__ import annotations

from typing import Final

from worker.llm.driver import FailureReason, LLMFailure

LONGEST_ANSWER: Final = 64 * 1024 * 1024  # bytes on the wire
LONGEST_EVENT: Final = 16 * 1024 * 1024  # bytes of the stream, from one empty line to the next
# An SDK copies an event's beginning with each line it adds.
MOST_LINES: Final = 1000  # of one event

MOST_CALLS: Final = 128
# Of what is collected of one answer, such as calls; far more than are made of it.
MOST_PARTS: Final = 1024
LONGEST_ARGUMENTS: Final = 1024 * 1024  # bytes
LONGEST_TOOL_NAME: Final = 256  # characters
LONGEST_ID: Final = 256  # characters
LONGEST_WORD: Final = 64  # characters, of a finish reason


def too_large() -> LLMFailure:
    """More came than an answer can have; it would not be less another time."""
    return LLMFailure(FailureReason.UNAVAILABLE, "the answer is too large to be read")
