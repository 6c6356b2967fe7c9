"""W3C trace context, and how the spans of a turn are named.  Pure.

A span's id is computed from what it is of, as an event's is: whichever worker tells of a part
of a turn, and in whatever order, its spans find their parent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final

HEADER: Final = "traceparent"

_FORM: Final = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
    r"(?P<rest>-.*)?"
)
_NO_VERSION: Final = "ff"
_OUR_VERSION: Final = "00"
_SAMPLED: Final = 1


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A place in a trace: below it comes whatever it is passed on to.

    Attributes:
        trace_id: 32 hex digits; `span_id` 16.
        is_sampled: whether somebody wants to see it.
    """

    trace_id: str
    span_id: str
    is_sampled: bool = True

    @property
    def header(self) -> str:
        """As it travels."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.is_sampled):02x}"

    def below(self, *of: object) -> TraceContext:
        """The span of something, in this trace."""
        return replace(self, span_id=span_id(self.trace_id, *of))


def parse_traceparent(text: str | None) -> TraceContext | None:
    """What a `traceparent` says; None when there is none, or it makes no sense."""
    match = None if text is None else _FORM.fullmatch(text.strip())
    if match is None or match["version"] == _NO_VERSION:
        return None
    # Later versions may add to it, the first did not.
    if match["rest"] and match["version"] == _OUR_VERSION:
        return None
    trace_id, parent = match["trace"], match["span"]
    if not int(trace_id, 16) or not int(parent, 16):
        return None
    return TraceContext(trace_id, parent, bool(int(match["flags"], 16) & _SAMPLED))


def span_id(*of: object) -> str:
    """The id of the span of something."""
    named = "\0".join(map(str, of)).encode()
    return blake2b(named, digest_size=8).hexdigest()
