import { byOffset } from '../pages.js';
import type { Api, QueryOf } from '../routes.js';
import type { RequestOptions } from '../transport.js';

/** What operators see and do: workers, turns as workflows, dead letters, breakers. */
export class Durable {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  health(options?: RequestOptions) {
    return this.#api.call('GET /v1/durable/health', {}, options);
  }

  /** What the caller may do. */
  config(options?: RequestOptions) {
    return this.#api.call('GET /v1/durable/config', {}, options);
  }

  workers(query?: QueryOf<'GET /v1/durable/workers'>, options?: RequestOptions) {
    return this.#api.call('GET /v1/durable/workers', { query }, options);
  }

  /** Have a worker take no more turns. */
  drainWorker(workerId: string, options?: RequestOptions) {
    const path = { worker_id: workerId };
    return this.#api.call('POST /v1/durable/workers/{worker_id}/drain', { path }, options);
  }

  resumeWorker(workerId: string, options?: RequestOptions) {
    const path = { worker_id: workerId };
    return this.#api.call('POST /v1/durable/workers/{worker_id}/resume', { path }, options);
  }

  /** Turns, the newest first. */
  workflows(query?: QueryOf<'GET /v1/durable/workflows'>, options?: RequestOptions) {
    return byOffset(query, (page) =>
      this.#api.call('GET /v1/durable/workflows', { query: page }, options),
    );
  }

  workflow(workflowId: string, options?: RequestOptions) {
    const path = { workflow_id: workflowId };
    return this.#api.call('GET /v1/durable/workflows/{workflow_id}', { path }, options);
  }

  workflowEvents(
    workflowId: string,
    query?: QueryOf<'GET /v1/durable/workflows/{workflow_id}/events'>,
    options?: RequestOptions,
  ) {
    const path = { workflow_id: workflowId };
    return this.#api.call(
      'GET /v1/durable/workflows/{workflow_id}/events',
      { path, query },
      options,
    );
  }

  cancelWorkflow(workflowId: string, options?: RequestOptions) {
    const path = { workflow_id: workflowId };
    return this.#api.call('POST /v1/durable/workflows/{workflow_id}/cancel', { path }, options);
  }

  tasks(query?: QueryOf<'GET /v1/durable/tasks'>, options?: RequestOptions) {
    return byOffset(query, (page) =>
      this.#api.call('GET /v1/durable/tasks', { query: page }, options),
    );
  }

  /** Turns that were given up, the newest first. */
  deadLetters(query?: QueryOf<'GET /v1/durable/dlq'>, options?: RequestOptions) {
    return byOffset(query, (page) =>
      this.#api.call('GET /v1/durable/dlq', { query: page }, options),
    );
  }

  deadLetter(entryId: string, options?: RequestOptions) {
    const path = { entry_id: entryId };
    return this.#api.call('GET /v1/durable/dlq/{entry_id}', { path }, options);
  }

  /** Answer its message after all, in a new turn. */
  retryDeadLetter(entryId: string, options?: RequestOptions) {
    const path = { entry_id: entryId };
    return this.#api.call('POST /v1/durable/dlq/{entry_id}/retry', { path }, options);
  }

  circuitBreakers(options?: RequestOptions) {
    return this.#api.call('GET /v1/durable/circuit-breakers', {}, options);
  }

  circuitBreaker(key: string, options?: RequestOptions) {
    return this.#api.call('GET /v1/durable/circuit-breakers/{key}', { path: { key } }, options);
  }

  openCircuitBreaker(key: string, options?: RequestOptions) {
    const path = { key };
    return this.#api.call('POST /v1/durable/circuit-breakers/{key}/open', { path }, options);
  }

  closeCircuitBreaker(key: string, options?: RequestOptions) {
    const path = { key };
    return this.#api.call('POST /v1/durable/circuit-breakers/{key}/close', { path }, options);
  }

  async forgetCircuitBreaker(key: string, options?: RequestOptions): Promise<void> {
    const path = { key };
    await this.#api.call('DELETE /v1/durable/circuit-breakers/{key}', { path }, options);
  }
}
