/** Some of a list, and how long the whole is. */
export interface Page<T> {
  data: T[];
  total: number;
}

/**
 * A list that is fetched when it is wanted: `await` gives the page that was asked for,
 * `for await` goes through all that follow as well.
 */
export class Pages<T, P extends { data: T[] } = Page<T>>
  implements PromiseLike<P>, AsyncIterable<T>
{
  readonly #fetch: (after: P | undefined) => Promise<P | undefined>;
  #first: Promise<P> | undefined;

  /** `fetch` gives the page after one, or undefined when that was the last. */
  constructor(fetch: (after: P | undefined) => Promise<P | undefined>) {
    this.#fetch = fetch;
  }

  // biome-ignore lint/suspicious/noThenProperty: it is to be awaited
  then<A = P, B = never>(
    onPage?: ((page: P) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#page().then(onPage, onError);
  }

  catch<B = never>(onError?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<P | B> {
    return this.#page().catch(onError);
  }

  finally(onEnd?: (() => void) | null): Promise<P> {
    return this.#page().finally(onEnd);
  }

  /** Page after page. */
  async *pages(): AsyncGenerator<P, void, undefined> {
    let page: P | undefined = await this.#page();
    while (page !== undefined) {
      yield page;
      page = await this.#fetch(page);
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const page of this.pages()) yield* page.data;
  }

  #page(): Promise<P> {
    this.#first ??= this.#fetch(undefined) as Promise<P>;
    return this.#first;
  }
}

interface OffsetQuery {
  offset?: number | null | undefined;
}

interface OffsetPage<T> extends Page<T> {
  offset?: number;
}

/** A list in pages by `offset` and `limit`. */
export function byOffset<T, P extends OffsetPage<T>, Q extends OffsetQuery>(
  query: Q | undefined,
  fetch: (query: Q) => Promise<P>,
): Pages<T, P> {
  return new Pages<T, P>(async (after) => {
    if (after === undefined) return await fetch((query ?? {}) as Q);
    const offset = (after.offset ?? 0) + after.data.length;
    if (after.data.length === 0 || offset >= after.total) return undefined;
    return await fetch({ ...query, offset } as Q);
  });
}

/** A list that is one page. */
export function whole<T, P extends { data: T[] }>(fetch: () => Promise<P>): Pages<T, P> {
  return new Pages<T, P>(async (after) => (after === undefined ? await fetch() : undefined));
}
