"""What looks like somebody's credential, so that it is not kept where people read.

Linear in the text, whatever the text: the patterns run on RE2.
"""

from __future__ import annotations

from typing import Final

import re2

_SHAPES: Final = (
    r"\bsk-[A-Za-z0-9_-]{16,}",  # OpenAI, Anthropic and those that copy them
    r"\bevr_[A-Za-z0-9_]{16,}",
    r"\bgh[pousr]_[A-Za-z0-9]{20,}",
    r"\bgithub_pat_[A-Za-z0-9_]{20,}",
    r"\bglpat-[A-Za-z0-9_-]{16,}",
    r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",  # Slack
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",  # AWS
    r"\bAIza[0-9A-Za-z_-]{30,}",  # Google
    r"\b[rs]k_live_[0-9A-Za-z]{16,}",  # Stripe
    r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",  # JWT
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    r"(?i)\bbearer\s+[A-Za-z0-9._~+/-]{20,}",
    r"(?i)\b(?:password|passwd|api[_-]?key|secret|token)\s*[:=]\s*[\"']?[^\s\"'{}<>$]{8,}",
    r"[a-z][a-z0-9+.-]*://[^\s/:@]+:[^\s/:@]{3,}@",
)
_ANY: Final = re2.compile("|".join(f"(?:{shape})" for shape in _SHAPES))


def find_credential(text: str) -> tuple[int, int] | None:
    """Where the first thing that looks like a credential starts and ends; None for nowhere."""
    found = _ANY.search(text)
    return None if found is None else found.span()
