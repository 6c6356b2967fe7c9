"""Tell webhooks what they are to be told: take what is due, sign it, send it, settle it.

Rows are the outbox: whoever ends a turn writes them (`common.storage.webhook_outbox`).  One that
was sent and not settled, because its sender died, is sent again under the same id.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import httpx2
import orjson
import structlog

from common import clock
from common.domain.ids import Kind, show_id
from common.domain.outbound import OutboundPolicy, OutboundRefused, read_target
from common.domain.webhook import (
    LONGEST_WISH_SECONDS,
    Json,
    Webhook,
    delay_after,
    secret_purpose,
    signature,
)
from common.encryption import CannotDecrypt, EncryptionUnavailable, SecretBox
from common.retry_after import retry_after
from common.settings import Settings
from common.storage import webhook_deliveries
from common.storage.engine import Database, DatabaseError, Tx, sqlstate
from common.storage.webhook_deliveries import Outgoing
from worker.capabilities.outbound.guard import Guard
from worker.capabilities.outbound.resolver import CannotResolve
from worker.capabilities.outbound.transports import GuardedTransport

_AT_ONCE: Final = 32
# Of one webhook, and of one organization: one that is slow does not hold up the others.
_EACH: Final = 4
_EACH_ORGANIZATION: Final = 8
_ANSWER_SECONDS: Final = 15.0
# Longer than any try, so that nobody else sends what is being sent.
_HOLD_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 1.0
_FORGET_SECONDS: Final = 600.0
_FORGET_SLICE: Final = 5_000
_NO_ANSWER: Final = "no answer"
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try ended.

    Attributes:
        answer: the status that came, None when none did.
        error: why it is no success; None when it is one.
        wish_seconds: how long the server wants to be left alone.
    """

    answer: int | None
    error: str | None = None
    wish_seconds: float = 0.0


class WebhookSender:
    """Any number may run, each on a thread of its own."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        guard: Guard | None = None,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._guard = guard or Guard(OutboundPolicy(settings.outbound_allow_private))
        self._secrets = SecretBox(
            settings.secrets_encryption_key, settings.secrets_encryption_key_previous
        )
        self._spread = spread
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="webhook")
        self._under_way: dict[Future[None], Outgoing] = {}
        self._forgot_at = time.monotonic()

    @property
    def is_sending(self) -> bool:
        """Whether something is under way."""
        return bool(self._under_way)

    def begin_due(self) -> int:
        """Begin to send what is due and has a place; returns how much that is.

        Raises:
            common.storage.engine.DatabaseError: the database cannot be reached.
        """
        places = _AT_ONCE - len(self._under_way)
        if not places:
            return 0
        with self._database.transaction() as tx:
            taken = webhook_deliveries.take_due(
                tx,
                limit=places,
                each=_EACH,
                each_organization=_EACH_ORGANIZATION,
                under_way=self._under_way.values(),
                hold_seconds=_HOLD_SECONDS,
            )
        for outgoing in taken:
            self._under_way[self._pool.submit(self._tell, outgoing)] = outgoing
        return len(taken)

    def await_one(self, seconds: float) -> None:
        """Wait until one that is under way has ended, but no longer than that."""
        ended, _ = wait(self._under_way, timeout=seconds, return_when=FIRST_COMPLETED)
        for each in ended:
            del self._under_way[each]
            failure = each.exception()
            if failure is not None:  # its hold runs out, and it is sent again
                _warn(failure)

    def run(self, stop: threading.Event) -> None:
        """Send until stopped; a database that is away is waited out."""
        while not stop.is_set():
            try:
                self.begin_due()
                self._forget_old()
            except Exception as failure:  # noqa: BLE001 - a thread that ends tells nobody anything
                _warn(failure)
            if self.is_sending:
                self.await_one(_PAUSE_SECONDS)
            else:
                stop.wait(_PAUSE_SECONDS)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _forget_old(self) -> None:
        """A slice at a time, and the next at once while there is more."""
        if time.monotonic() - self._forgot_at < _FORGET_SECONDS:
            return
        with self._database.transaction() as tx:
            forgotten = webhook_deliveries.forget_old(tx, limit=_FORGET_SLICE)
        if forgotten < _FORGET_SLICE:
            self._forgot_at = time.monotonic()

    def _tell(self, outgoing: Outgoing) -> None:
        webhook = outgoing.webhook
        if webhook is None or not webhook.enabled:
            outcome, delay = Outcome(None, "the webhook was switched off"), None
        else:
            outcome = self._try(outgoing, webhook)
            delay = self._delay(outgoing, outcome)
        with self._database.transaction() as tx:
            _settle(tx, outgoing=outgoing, outcome=outcome, delay_seconds=delay)
        _log.info(
            "webhook_sent" if outcome.error is None else "webhook_not_sent",
            delivery_id=show_id(Kind.WEBHOOK_DELIVERY, outgoing.delivery.id),
            webhook_id=show_id(Kind.WEBHOOK, outgoing.delivery.webhook_id),
            attempt=outgoing.delivery.attempts,
            status=outcome.answer,
        )

    def _delay(self, outgoing: Outgoing, outcome: Outcome) -> float | None:
        """Until the next try; half as long again at most, so that many do not come at once."""
        delay = delay_after(outgoing.delivery.attempts)
        if delay is None:
            return None
        return max(
            delay * (1 + self._spread() / 2), min(outcome.wish_seconds, LONGEST_WISH_SECONDS)
        )

    def _try(self, outgoing: Outgoing, webhook: Webhook) -> Outcome:
        try:
            secret = self._secrets.decrypt(webhook.secret, purpose=secret_purpose(webhook.id))
        except (CannotDecrypt, EncryptionUnavailable):
            return Outcome(None, "its secret cannot be decrypted")
        body = orjson.dumps(payload(outgoing, webhook))
        message_id = show_id(Kind.WEBHOOK_DELIVERY, outgoing.delivery.id)
        timestamp = int(clock.now().timestamp())
        signed = signature(secret, message_id=message_id, timestamp=timestamp, body=body)
        headers = {
            "content-type": "application/json",
            "user-agent": "everturn",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signed,
        }
        return self._post(webhook.url, headers, body)

    def _post(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        until = time.monotonic() + _ANSWER_SECONDS
        try:
            target = read_target(url)
            request = httpx2.Request("POST", target.url, content=body, headers=headers)
            # Without a client, which would look where a redirect leads.
            with (
                GuardedTransport(
                    self._guard, time_left=lambda: until - time.monotonic()
                ) as transport,
                closing(transport.handle_request(request)) as response,
            ):
                # Its body is nobody's: it is not even read.
                return _judged(response)
        except OutboundRefused as refused:
            return Outcome(None, f"its address is refused: {refused.reason}")
        except CannotResolve as unknown:
            return Outcome(None, str(unknown))
        except httpx2.TimeoutException:
            return Outcome(None, f"{_NO_ANSWER} within {_ANSWER_SECONDS:g} s")
        except Exception as failure:  # noqa: BLE001 - what a stranger answers ends no more than a try
            return Outcome(None, f"{_NO_ANSWER} ({type(failure).__name__})")


def payload(outgoing: Outgoing, webhook: Webhook) -> Json:
    """What is sent: the same each time it is sent, and nothing of what was said."""
    delivery, told = outgoing.delivery, outgoing.told
    ids = {
        "organization_id": show_id(Kind.ORGANIZATION, webhook.organization_id),
        "session_id": show_id(Kind.SESSION, delivery.session_id),
        "turn_id": show_id(Kind.TURN, delivery.turn_id),
    }
    return {"type": delivery.event, "timestamp": told["timestamp"], "data": ids | told["data"]}


def _judged(response: httpx2.Response) -> Outcome:
    if response.is_success:
        return Outcome(response.status_code)
    wish = retry_after(response.headers) or 0.0
    return Outcome(response.status_code, f"it answered {response.status_code}", wish)


def _settle(tx: Tx, *, outgoing: Outgoing, outcome: Outcome, delay_seconds: float | None) -> None:
    delivery = outgoing.delivery
    if outcome.error is None and outcome.answer is not None:
        webhook_deliveries.settle_delivered(tx, delivery, answer=outcome.answer)
        return
    is_gone = outcome.answer == HTTPStatus.GONE
    if is_gone and outgoing.webhook is not None:
        webhook_deliveries.settle_gone(tx, outgoing.webhook, but=delivery)
    webhook_deliveries.settle_failed(
        tx,
        delivery,
        answer=outcome.answer,
        error=outcome.error or _NO_ANSWER,
        delay_seconds=None if is_gone else delay_seconds,
    )


def _warn(failure: BaseException) -> None:
    code = sqlstate(failure) if isinstance(failure, DatabaseError) else None
    _log.warning("webhooks_not_sent", error=type(failure).__name__, sqlstate=code)
