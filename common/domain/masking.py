"""Takes secrets out of what others say, before anybody else hears it or a log keeps it.  Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, Final

MASK: Final = "[masked]"
# Beyond what is ever stored.
MOST_LEVELS: Final = 128

# Shorter ones would mask ordinary words, and are no secret worth the name.
_SHORTEST_SECRET: Final = 6

# Providers quote a refused key, sometimes with its middle already starred out.
_SHAPED_LIKE_KEYS: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:sk|pk|rk|gsk|xai|evr|nvapi|hf|r8|pplx|glpat|gh[pousr]|github_pat"
    r"|xox[a-z])[-_][A-Za-z0-9_\-*.…]{6,}"
    r"|(?:AKIA|ASIA)[A-Z0-9*]{12,}"
    r"|AIza[A-Za-z0-9_\-*.…]{8,}"
    r"|whsec_[A-Za-z0-9+/=_\-]{6,}"
    r"|eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-.]+)"
)
_USER_IN_A_URL: Final = re.compile(r"(://)[^\s/\"'<>]{1,512}@")
# As a query or a form has it, however short the value is.
_PARAMETER: Final = re.compile(
    r"(?i)((?:[?&]|\b)(?:api[-_]?key|access[-_]?token|client[-_]?secret|token|password|passwd"
    r"|secret|signature)=|[?&](?:key|sig|auth)=)[^\s&\"'<>,;)]+"
)
_SCHEME: Final = re.compile(r"(?i)bearer|basic")
_AFTER_A_SCHEME: Final = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=\-*]{6,}")
_NAMED: Final = re.compile(
    r"(?i)\b((?:x-)?api[-_ ]?key|authorization|access[-_]token|password|client[-_]secret"
    r"|(?<=[\"'])(?:token|secret)(?=[\"']))([\"']?\s*[:=]\s*[\"']?(?:apikey\s+)?)"
    r"(?!bearer|basic)[^\s\"',;]{6,}"
)


def without(text: str, secrets: Iterable[str]) -> str:
    """The text without the given secrets; what only looks like one stays."""
    # The longest first: a secret may be the beginning of another one.
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    return text


def without_in(value: Any, secrets: Collection[str], *, depth: int = MOST_LEVELS) -> Any:
    """JSON without the secrets in its texts and keys; below so many levels nothing is left."""
    if depth == 0:
        return None
    match value:
        case str():
            return without(value, secrets)
        case list():
            return [without_in(each, secrets, depth=depth - 1) for each in value]
        case dict():
            return {
                without(str(key), secrets): without_in(each, secrets, depth=depth - 1)
                for key, each in value.items()
            }
        case _:
            return value


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without the given secrets and without anything that is shaped like one."""
    text = without(text, secrets)
    # Looking for a sign that must be there is far cheaper than looking for the whole.
    if _SCHEME.search(text):
        text = _AFTER_A_SCHEME.sub(rf"\1 {MASK}", text)
    if "@" in text:
        text = _USER_IN_A_URL.sub(rf"\1{MASK}@", text)
    if "=" in text:
        text = _PARAMETER.sub(rf"\1{MASK}", text)
    if "=" in text or ":" in text:
        text = _NAMED.sub(rf"\1\2{MASK}", text)
    return _SHAPED_LIKE_KEYS.sub(MASK, text)
