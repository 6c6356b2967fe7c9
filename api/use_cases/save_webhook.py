"""Create, change or delete a webhook, and send again what was given up."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from common.domain.errors import (
    Conflict,
    EncryptionMissing,
    FieldProblem,
    NotFound,
    Unprocessable,
)
from common.domain.outbound import OutboundPolicy, OutboundRefused, read_target
from common.domain.webhook import (
    MOST_WEBHOOKS,
    SECRET_BYTES,
    Delivery,
    DeliveryStatus,
    Webhook,
    WebhookEvent,
    secret_purpose,
    secret_text,
)
from common.encryption import EncryptionUnavailable, Envelope, SecretBox
from common.storage import idempotency, organizations, webhook_deliveries, webhooks
from common.storage.engine import Tx
from common.storage.idempotency import IdempotencyKey

# The database sets the times of a new row.
_UNSET: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MadeWebhook:
    """A webhook with its secret, which is shown to nobody again."""

    webhook: Webhook
    secret: str


def create_webhook(
    deps: Deps, caller: Caller, given: dict[str, Any], key: IdempotencyKey | None
) -> MadeWebhook:
    """Store a new webhook.

    Raises:
        Conflict: there are as many as there may be, or for a repeat: the first answer cannot
            be given again.
        EncryptionMissing: there is no master key.
        IdempotencyKeyReused: the key came with another body.
        Unprocessable: its URL may not be reached.
    """
    secret = secret_text(secrets.token_bytes(SECRET_BYTES))
    webhook_id = deps.new_id()
    blank = Webhook(
        id=webhook_id,
        organization_id=caller.organization_id,
        url="",
        description=None,
        events=tuple(WebhookEvent),
        enabled=True,
        secret=_sealed(deps, secret, webhook_id),
        created_at=_UNSET,
        updated_at=_UNSET,
    )
    with deps.database.transaction() as tx:
        if key is not None and idempotency.first_answer(
            tx, key, resource_id=webhook_id.hex, status_code=HTTPStatus.CREATED
        ):
            raise Conflict("This request has made a webhook already, whose secret was shown then")
        organizations.lock(tx, caller.organization_id)
        if webhooks.count(tx, caller.organization_id) >= MOST_WEBHOOKS:
            raise Conflict(f"There are {MOST_WEBHOOKS} webhooks already; delete one first")
        webhooks.insert(tx, _changed(deps, blank, given))
        return MadeWebhook(find_webhook(tx, caller.organization_id, webhook_id), secret)


def patch_webhook(deps: Deps, caller: Caller, webhook_id: UUID, given: dict[str, Any]) -> Webhook:
    """Change the fields that are given; what is pending of one that is switched off is given up.

    Raises:
        NotFound: there is no such webhook.
        Unprocessable: its URL may not be reached.
    """
    with deps.database.transaction() as tx:
        organizations.lock(tx, caller.organization_id)
        found = find_webhook(tx, caller.organization_id, webhook_id)
        webhooks.update(tx, _changed(deps, found, given))
        return find_webhook(tx, caller.organization_id, webhook_id)


def send_again(
    deps: Deps, caller: Caller, webhook_id: UUID, delivery_id: UUID, key: IdempotencyKey | None
) -> Delivery:
    """Send a delivery that was given up, under its old id, by a sweeper's next look.

    Raises:
        NotFound: there is no such webhook or delivery.
        Conflict: it was not given up, or its webhook is off.
    """
    with deps.database.transaction() as tx:
        organizations.lock(tx, caller.organization_id)
        webhook = find_webhook(tx, caller.organization_id, webhook_id)
        found = webhook_deliveries.lock(tx, caller.organization_id, webhook_id, delivery_id)
        if found is None:
            raise NotFound("Delivery not found")
        if key is not None and idempotency.first_answer(
            tx, key, resource_id=delivery_id.hex, status_code=HTTPStatus.OK
        ):
            return found
        if found.status is not DeliveryStatus.DEAD:
            raise Conflict(f"The delivery is {found.status}; only a dead one is sent again")
        if not webhook.enabled:
            raise Conflict("The webhook is off; switch it on first")
        return webhook_deliveries.send_again(tx, delivery_id)


def find_webhook(tx: Tx, organization_id: UUID, webhook_id: UUID) -> Webhook:
    """The webhook.

    Raises:
        NotFound: there is none.
    """
    found = webhooks.find(tx, organization_id, webhook_id)
    if found is None:
        raise NotFound("Webhook not found")
    return found


def _changed(deps: Deps, webhook: Webhook, given: dict[str, Any]) -> Webhook:
    values = dict(given)
    if "url" in values:
        values["url"] = _checked_url(deps, values["url"])
    if "events" in values:
        wanted = values["events"] or list(WebhookEvent)
        values["events"] = tuple(event for event in WebhookEvent if event in wanted)
    return replace(webhook, **values)


def _checked_url(deps: Deps, url: str) -> str:
    """The URL as it is stored; what its name leads to is judged at each connection."""
    try:
        target = read_target(url)
        policy = OutboundPolicy(deps.settings.outbound_allow_private)
        policy.check_host(target.host, target.port)
    except OutboundRefused as refused:
        problem = FieldProblem("url", f"Cannot be reached: {refused.reason}")
        raise Unprocessable(f"url: {problem.message}", problems=(problem,)) from None
    return target.url


def _sealed(deps: Deps, secret: str, webhook_id: UUID) -> Envelope:
    settings = deps.settings
    box = SecretBox(settings.secrets_encryption_key, settings.secrets_encryption_key_previous)
    try:
        return box.encrypt(secret, purpose=secret_purpose(webhook_id))
    except EncryptionUnavailable:
        raise EncryptionMissing(
            "Secrets cannot be stored: SECRETS_ENCRYPTION_KEY is not configured"
        ) from None
