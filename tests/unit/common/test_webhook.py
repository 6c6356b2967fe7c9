"""What webhooks are told, and how they know that it was us."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from common.domain.webhook import (
    MOST_ATTEMPTS,
    SECRET_BYTES,
    delay_after,
    secret_text,
    signature,
    told_of,
)

SECRET = secret_text(bytes(range(SECRET_BYTES)))


def signed(body: bytes) -> dict[str, str]:
    now = int(datetime.now(UTC).timestamp())  # noqa: TID251 - the verifier looks at the real one
    return {
        "webhook-id": "whd_1",
        "webhook-timestamp": str(now),
        "webhook-signature": signature(SECRET, message_id="whd_1", timestamp=now, body=body),
    }


def test_the_reference_library_accepts_the_signature_and_no_other_body() -> None:
    verifier = Verifier(SECRET)
    assert verifier.verify(b'{"a":"\xc3\xbc"}', signed(b'{"a":"\xc3\xbc"}')) == {"a": "ü"}
    with pytest.raises(WebhookVerificationError):
        verifier.verify(b'{"a":"u"}', signed(b'{"a":"v"}'))


def test_what_was_said_is_not_told() -> None:
    data = {
        "turn_id": "turn_1",
        "iterations": 2,
        "error_code": "llm_error",
        "error": "The provider says: your prompt …",
        "message": {"content": [{"type": "text", "text": "secret"}]},
        "tool_calls": [{"id": "c1", "name": "look_up", "arguments": {"q": "secret"}}],
        "usage": {"input_tokens": 5, "output_tokens": 0},
        "reason": None,
    }
    assert told_of(data) == {
        "iterations": 2,
        "error_code": "llm_error",
        "usage": {"input_tokens": 5, "output_tokens": 0},
        "tool_calls": [{"id": "c1", "name": "look_up"}],
    }


def test_tries_come_later_each_time_and_end() -> None:
    delays = [delay_after(number) for number in range(1, MOST_ATTEMPTS)]
    assert all(earlier < later for earlier, later in pairwise(filter(None, delays)))
    assert sum(filter(None, delays)) > 12 * 3600
    assert delay_after(MOST_ATTEMPTS) is None
    assert delay_after(MOST_ATTEMPTS + 1) is None
