"""Why somebody changed something: the `Everruns-Change-Reason` header (contract 2.1)."""

from __future__ import annotations

import unicodedata
from typing import Final
from urllib.parse import unquote_to_bytes

from flask import request

from api.auth import Caller
from common.domain.agent_version import Change, ChangeKind
from common.domain.credentials import find_credential
from common.domain.errors import FieldProblem, InvalidChangeReason

HEADER: Final = "Everruns-Change-Reason"
MAX_CHARACTERS: Final = 1000
_ALLOWED_CONTROLS: Final = "\n\t"


def asked_change(caller: Caller, kind: ChangeKind = ChangeKind.AUTO) -> Change:
    """What this request says of the version that it makes.

    Raises:
        InvalidChangeReason: the header is there and cannot be kept.
    """
    given = request.headers.get(HEADER)
    summary = None if given is None else read_reason(given)
    return Change(kind=kind, summary=summary, principal_id=caller.principal_id)


def read_reason(encoded: str) -> str | None:
    """The text of a header; None for a blank one.

    Raises:
        InvalidChangeReason: it is malformed, too long, or looks like a credential.
    """
    try:
        text = unquote_to_bytes(encoded).decode()
    except UnicodeError as wrong:
        raise _refused("Must be percent-encoded UTF-8") from wrong
    text = text.strip()
    if len(text) > MAX_CHARACTERS:
        raise _refused(f"Must not be longer than {MAX_CHARACTERS} characters")
    if any(unicodedata.category(sign) == "Cc" and sign not in _ALLOWED_CONTROLS for sign in text):
        raise _refused("Must not have control characters")
    if find_credential(text) is not None:
        raise _refused("Looks like a credential")
    return text or None


def _refused(message: str) -> InvalidChangeReason:
    return InvalidChangeReason(f"{HEADER}: {message}", problems=(FieldProblem(HEADER, message),))
