import type { paths } from './generated.js';
import type { Query, RequestOptions, Transport } from './transport.js';

/*
 * The calls of the OpenAPI document as types: a route is written as the document has it,
 * 'POST /v1/sessions/{session_id}/messages', and the compiler knows what goes in and what
 * comes back.
 */

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** All routes of the document, such as `GET /v1/agents`. */
export type Route = {
  [P in keyof paths & string]: {
    [M in Method]: paths[P][M] extends undefined ? never : `${Uppercase<M>} ${P}`;
  }[Method];
}[keyof paths & string];

type OperationOf<R extends Route> = R extends `${infer M} ${infer P}`
  ? P extends keyof paths
    ? Lowercase<M> extends keyof paths[P]
      ? paths[P][Lowercase<M>]
      : never
    : never
  : never;

type ParametersOf<R extends Route, In extends 'path' | 'query'> =
  OperationOf<R> extends { parameters: infer All }
    ? In extends keyof All
      ? Exclude<All[In], undefined>
      : never
    : never;

/** What a route takes as query parameters. */
export type QueryOf<R extends Route> = ParametersOf<R, 'query'>;

/** What a route takes as JSON. */
export type BodyOf<R extends Route> =
  OperationOf<R> extends { requestBody?: infer Body }
    ? Exclude<Body, undefined> extends { content: { 'application/json': infer Json } }
      ? Json
      : never
    : never;

/** What a route answers as JSON; nothing for 204. */
export type ReplyOf<R extends Route> =
  OperationOf<R> extends { responses: infer All } ? Nothing<JsonOf<All[keyof All]>> : never;

type JsonOf<Response> = Response extends { content: { 'application/json': infer Json } }
  ? Json
  : never;
type Nothing<T> = [T] extends [never] ? undefined : T;

type PathInput<R extends Route> = [ParametersOf<R, 'path'>] extends [never]
  ? { path?: never }
  : { path: ParametersOf<R, 'path'> };

export type Input<R extends Route> = PathInput<R> & {
  query?: [QueryOf<R>] extends [never] ? never : QueryOf<R> | undefined;
  body?: [BodyOf<R>] extends [never] ? never : BodyOf<R> | undefined;
};

/** What the resources stand on. */
export class Api {
  readonly transport: Transport;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  /** One call of the document. */
  call<R extends Route>(
    route: R,
    input: Input<R>,
    options: RequestOptions | undefined,
  ): Promise<ReplyOf<R>> {
    const call = { ...target(route, input), body: input.body };
    return this.transport.json(call, options) as Promise<ReplyOf<R>>;
  }

  /** One call whose answer is text. */
  text<R extends Route>(route: R, input: Input<R>, options: RequestOptions | undefined) {
    return this.transport.text({ ...target(route, input), accept: '*/*' }, options);
  }

  /** One call whose answer is a file. */
  bytes<R extends Route>(route: R, input: Input<R>, options: RequestOptions | undefined) {
    return this.transport.bytes({ ...target(route, input), accept: '*/*' }, options);
  }
}

interface AnyInput {
  path?: object | undefined;
  query?: object | undefined;
}

/** Method, address and query of a route. */
export function target(route: string, input: AnyInput) {
  const [method = '', template = ''] = route.split(' ');
  const values = (input.path ?? {}) as Record<string, string>;
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined || value === '') throw new TypeError(`${name} is missing`);
    return name === 'file' ? encodedFile(value) : encodedName(value);
  });
  return { method, path, query: input.query as Query | undefined };
}

/** A file's path keeps its slashes; the first is the route's own. */
function encodedFile(path: string): string {
  return path.replace(/^\//, '').split('/').map(encodedName).join('/');
}

/** `..` would be resolved before it is sent, and lead to another route. */
function encodedName(name: string): string {
  if (name === '.' || name === '..') throw new TypeError(`${name} is no part of a path`);
  return encodeURIComponent(name);
}
