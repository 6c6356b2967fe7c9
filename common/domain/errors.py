"""What can be wrong with a request, as nouns with a stable code.

The one table from these to HTTP statuses is `api/errors.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One offending place of a request: a path such as `message.content[0].text`."""

    field: str
    message: str


class DomainError(Exception):
    """Base of everything a caller can be told about.  Never raised itself.

    Attributes:
        code: stable, machine-readable.
        message: one sentence for a person.
        problems: the fields at fault, empty when no single field is.
    """

    code = "error"

    def __init__(self, message: str, *, problems: tuple[FieldProblem, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.problems = problems


class BadRequest(DomainError):
    """Not understood: malformed, wrong type, missing or contradictory (contract 1.6: 400)."""

    code = "bad_request"


class InvalidId(BadRequest):
    """An id that has no accepted form, or the prefix of another kind of thing."""

    code = "invalid_id"


class InvalidChangeReason(BadRequest):
    """An Everruns-Change-Reason header that cannot be kept (contract 2.1)."""

    code = "invalid_change_reason"


class InvalidCursor(BadRequest):
    """A cursor that is not an event id of the session it is used on."""

    code = "invalid_cursor"


class Unprocessable(DomainError):
    """Understood but not acceptable (contract 1.6: 422)."""

    code = "validation_error"


class IdempotencyKeyReused(Unprocessable):
    """The same Idempotency-Key came with another body."""

    code = "idempotency_key_reused"


class Unauthorized(DomainError):
    """Nobody knows who asks: no credential, or none that is good (contract 1.6: 401).

    Attributes:
        is_refused: a credential came and was not good.
    """

    code = "unauthorized"

    def __init__(self, *, is_refused: bool) -> None:
        # One sentence for whatever is wrong with it: nothing is told to who tries keys.
        message = "The credential is not valid" if is_refused else "A credential is required"
        super().__init__(message)
        self.is_refused = is_refused


class LoginRefused(Unauthorized):
    """Nobody has this email and password (401).

    Attributes:
        tried: the user whose password it was not, for the audit log alone; None: nobody's.
    """

    def __init__(self, *, tried: UUID | None = None) -> None:
        super().__init__(is_refused=True)
        self.tried = tried
        # The same for an address that is not known, a password that is wrong and an account
        # that is closed.
        self.message = "The email or the password is not right"


class Forbidden(DomainError):
    """Known who asks, and still not allowed: built-in things are read-only (contract 1.6: 403)."""

    code = "forbidden"


class InsufficientScope(Forbidden):
    """The caller's credential is good and not granted what this needs (403).

    Attributes:
        scope: what would have been needed.
    """

    code = "insufficient_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs the scope {scope}, which the credential does not have")
        self.scope = scope


class EncryptionMissing(DomainError):
    """A secret cannot be stored or read: its master key is not configured (503)."""

    code = "encryption_unavailable"


class BlobsUnavailable(DomainError):
    """What keeps uploads cannot be reached, or is full (503)."""

    code = "storage_unavailable"


class Overloaded(DomainError):
    """As much of this is being done as can be at once (503)."""

    code = "overloaded"


class RateLimited(DomainError):
    """Asked too often (contract 1.6: 429).

    Attributes:
        retry_after_seconds: when it is worth trying again.
        headers: how the limits stand, as HTTP has it.
    """

    code = "rate_limited"

    def __init__(
        self, message: str, *, retry_after_seconds: int, headers: Mapping[str, str]
    ) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.headers = headers


class TooManyTurns(DomainError):
    """The organization has as many turns open as it may (429)."""

    code = "too_many_active_turns"


class Unavailable(DomainError):
    """What this needs cannot be reached just now (503)."""

    code = "unavailable"


class ProviderFailed(DomainError):
    """A model provider was asked on the caller's behalf and gave no usable answer (502)."""

    code = "provider_failed"


class NotFound(DomainError):
    """Does not exist for this caller; another organization's things never do (I9)."""

    code = "not_found"


class Conflict(DomainError):
    """The resource's state does not allow it (contract 1.6: 409)."""

    code = "conflict"


class TooLarge(DomainError):
    """More bytes than this route takes (413)."""

    code = "too_large"


class UnsupportedMedia(DomainError):
    """A file of a kind that is not taken or shown here (415)."""

    code = "unsupported_media_type"


class LeaseLost(Exception):
    """Another holder has the session: the worker that sees this may write nothing more (I3)."""
