import type { Webhook, WebhookDelivery } from '../models.js';
import { byOffset, type Pages } from '../pages.js';
import type { Api, BodyOf, QueryOf, ReplyOf } from '../routes.js';
import type { RequestOptions } from '../transport.js';

type WebhookList = ReplyOf<'GET /v1/task-webhooks'>;
type DeliveryList = ReplyOf<'GET /v1/task-webhooks/{webhook_id}/deliveries'>;

/** Addresses that are told of turns. */
export class Webhooks {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  list(
    query?: QueryOf<'GET /v1/task-webhooks'>,
    options?: RequestOptions,
  ): Pages<Webhook, WebhookList> {
    return byOffset(query, (page) =>
      this.#api.call('GET /v1/task-webhooks', { query: page }, options),
    );
  }

  /** The answer's `secret` is shown this once. */
  create(body: BodyOf<'POST /v1/task-webhooks'>, options?: RequestOptions) {
    return this.#api.call('POST /v1/task-webhooks', { body }, options);
  }

  get(webhookId: string, options?: RequestOptions): Promise<Webhook> {
    const path = { webhook_id: webhookId };
    return this.#api.call('GET /v1/task-webhooks/{webhook_id}', { path }, options);
  }

  update(
    webhookId: string,
    body: BodyOf<'PATCH /v1/task-webhooks/{webhook_id}'>,
    options?: RequestOptions,
  ): Promise<Webhook> {
    const path = { webhook_id: webhookId };
    return this.#api.call('PATCH /v1/task-webhooks/{webhook_id}', { path, body }, options);
  }

  async delete(webhookId: string, options?: RequestOptions): Promise<void> {
    const path = { webhook_id: webhookId };
    await this.#api.call('DELETE /v1/task-webhooks/{webhook_id}', { path }, options);
  }

  /** What it was told, newest first; `status: 'dead'` for what was given up. */
  deliveries(
    webhookId: string,
    query?: QueryOf<'GET /v1/task-webhooks/{webhook_id}/deliveries'>,
    options?: RequestOptions,
  ): Pages<WebhookDelivery, DeliveryList> {
    const path = { webhook_id: webhookId };
    return byOffset(query, (page) =>
      this.#api.call(
        'GET /v1/task-webhooks/{webhook_id}/deliveries',
        { path, query: page },
        options,
      ),
    );
  }

  /** Send again what was given up. */
  retry(webhookId: string, deliveryId: string, options?: RequestOptions): Promise<WebhookDelivery> {
    const path = { webhook_id: webhookId, delivery_id: deliveryId };
    return this.#api.call(
      'POST /v1/task-webhooks/{webhook_id}/deliveries/{delivery_id}/retry',
      { path },
      options,
    );
  }
}
