"""Takes secrets out of what a provider says, before anybody else hears it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

MASK: Final = "[masked]"

# Shorter ones would mask ordinary words, and are no secret worth the name.
_SHORTEST_SECRET: Final = 6

# Providers quote a refused key, sometimes with its middle already starred out.
_SHAPED_LIKE_KEYS: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:sk|pk|rk|gsk|xai|evr|nvapi|hf|r8|pplx|glpat|gh[pousr]|github_pat"
    r"|xox[a-z])[-_][A-Za-z0-9_\-*.…]{6,}"
    r"|(?:AKIA|ASIA)[A-Z0-9*]{12,}"
    r"|AIza[A-Za-z0-9_\-*.…]{8,}"
    r"|eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-.]+)"
)
_USER_IN_A_URL: Final = re.compile(r"(://)[^\s/\"'<>]{1,512}@")
# As a query or a form has it, however short the value is.
_PARAMETER: Final = re.compile(
    r"(?i)((?:[?&]|\b)(?:api[-_]?key|access[-_]?token|client[-_]?secret|token|password|passwd"
    r"|secret|signature)=|[?&](?:key|sig|auth)=)[^\s&\"'<>,;)]+"
)
_AFTER_A_SCHEME: Final = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=\-*]{6,}")
_NAMED: Final = re.compile(
    r"(?i)\b((?:x-)?api[-_ ]?key|authorization|access[-_]token|password|client[-_]secret"
    r"|(?<=\")(?:token|secret)(?=\"))(\"?\s*[:=]\s*\"?)"
    r"(?!bearer|basic)[^\s\"',;]{6,}"
)


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without the given secrets and without anything that is shaped like one."""
    # The longest first: a secret may be the beginning of another one.
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    text = _AFTER_A_SCHEME.sub(rf"\1 {MASK}", text)
    text = _USER_IN_A_URL.sub(rf"\1{MASK}@", text)
    text = _PARAMETER.sub(rf"\1{MASK}", text)
    text = _NAMED.sub(rf"\1\2{MASK}", text)
    return _SHAPED_LIKE_KEYS.sub(MASK, text)
