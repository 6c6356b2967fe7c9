"""Webhooks: register, find, change, delete; see what they were told, and send it again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint

from api.endpoint import Answer, Call, Contract, endpoint
from api.schemas.shared import PageQuery, page, page_limit
from api.schemas.webhooks import (
    DeliveryListQuery,
    DeliveryListSchema,
    DeliverySchema,
    GivenWebhook,
    MadeWebhookSchema,
    NewWebhookSchema,
    WebhookListSchema,
    WebhookPatchSchema,
    WebhookSchema,
    show_delivery,
    show_webhook,
)
from api.use_cases import save_webhook
from common.domain.access import Scope
from common.domain.errors import NotFound
from common.domain.webhook import DeliveryStatus
from common.storage import webhook_deliveries, webhooks

blueprint = APIBlueprint("webhooks", __name__, url_prefix="/v1")


@blueprint.post("/task-webhooks")
@endpoint(
    Contract(
        summary="Register a webhook",
        scope=Scope.WEBHOOKS_WRITE,
        description="Its secret is in this answer and nowhere else; without a master key, 503."
        " Without `events` it is told of all.",
        status=201,
        takes=NewWebhookSchema(),
        needs_body=True,
        returns=MadeWebhookSchema(),
        fails=(404, 409, 422, 503),
    )
)
def create_webhook(call: Call[GivenWebhook, None]) -> Answer:
    """Register a webhook."""
    made = save_webhook.create_webhook(call.deps, call.caller, call.body.given, call.key)
    return {**show_webhook(made.webhook), "secret": made.secret}


@blueprint.get("/task-webhooks")
@endpoint(
    Contract(
        summary="List webhooks",
        scope=Scope.WEBHOOKS_READ,
        query=PageQuery(),
        returns=WebhookListSchema(),
        fails=(404, 503),
    )
)
def list_webhooks(call: Call[None, dict[str, Any]]) -> Answer:
    """List a page of webhooks, newest first."""
    offset, limit = call.query["offset"], page_limit(call.query)
    with call.deps.database.reading() as tx:
        found, total = webhooks.find_page(
            tx, call.caller.organization_id, offset=offset, limit=limit
        )
    return page([show_webhook(one) for one in found], total=total, offset=offset, limit=limit)


@blueprint.get("/task-webhooks/<webhook_id>")
@endpoint(
    Contract(
        summary="Get a webhook",
        scope=Scope.WEBHOOKS_READ,
        returns=WebhookSchema(),
        fails=(404, 503),
    )
)
def get_webhook(call: Call[None, None], webhook_id: UUID) -> Answer:
    """Get one webhook."""
    with call.deps.database.reading() as tx:
        found = save_webhook.find_webhook(tx, call.caller.organization_id, webhook_id)
    return show_webhook(found)


@blueprint.patch("/task-webhooks/<webhook_id>")
@endpoint(
    Contract(
        summary="Change a webhook",
        scope=Scope.WEBHOOKS_WRITE,
        description="Only what is given. What is on its way to one that is switched off is given"
        " up, and can be sent again later.",
        takes=WebhookPatchSchema(),
        returns=WebhookSchema(),
        fails=(404, 422, 503),
    )
)
def change_webhook(call: Call[GivenWebhook, None], webhook_id: UUID) -> Answer:
    """Change one webhook; its secret stays."""
    given = call.body.given
    return show_webhook(save_webhook.patch_webhook(call.deps, call.caller, webhook_id, given))


@blueprint.delete("/task-webhooks/<webhook_id>")
@endpoint(
    Contract(summary="Delete a webhook", scope=Scope.WEBHOOKS_WRITE, status=204, fails=(404, 503))
)
def delete_webhook(call: Call[None, None], webhook_id: UUID) -> Answer:
    """Delete one webhook, its secret and all that it was to be told."""
    with call.deps.database.transaction() as tx:
        is_gone = webhooks.delete(tx, call.caller.organization_id, webhook_id)
    if not is_gone:
        raise NotFound("Webhook not found")
    return None


@blueprint.get("/task-webhooks/<webhook_id>/deliveries")
@endpoint(
    Contract(
        summary="List what a webhook was told",
        scope=Scope.WEBHOOKS_READ,
        description="What was delivered is kept for a day, what was given up (`dead`) for 30.",
        query=DeliveryListQuery(),
        returns=DeliveryListSchema(),
        fails=(404, 503),
    )
)
def list_deliveries(call: Call[None, dict[str, Any]], webhook_id: UUID) -> Answer:
    """List a page of deliveries, newest first."""
    offset, limit, status = call.query["offset"], page_limit(call.query), call.query["status"]
    organization_id = call.caller.organization_id
    with call.deps.database.reading() as tx:
        save_webhook.find_webhook(tx, organization_id, webhook_id)
        found, total = webhook_deliveries.find_page(
            tx,
            organization_id,
            webhook_id,
            status=None if status is None else DeliveryStatus(status),
            offset=offset,
            limit=limit,
        )
    return page([show_delivery(one) for one in found], total=total, offset=offset, limit=limit)


@blueprint.post("/task-webhooks/<webhook_id>/deliveries/<delivery_id>/retry")
@endpoint(
    Contract(
        summary="Send a delivery again",
        scope=Scope.WEBHOOKS_WRITE,
        description="One that was given up, under the id that it has.",
        returns=DeliverySchema(),
        fails=(404, 409, 422, 503),
    )
)
def retry_delivery(call: Call[None, None], webhook_id: UUID, delivery_id: UUID) -> Answer:
    """Send one again; it can fail as often as before."""
    sent = save_webhook.send_again(call.deps, call.caller, webhook_id, delivery_id, call.key)
    return show_delivery(sent)
