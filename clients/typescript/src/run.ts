import { EverrunsError, EverrunsTurnError } from './errors.js';
import type { EventMessage, EventOf, SessionEvent, ToolCall } from './events.js';
import type { CallDecision, Message, NewMessage, ToolResult } from './models.js';
import type { EventStream, StreamOptions } from './stream.js';

/** What a tool is given beside its arguments. */
export interface ToolContext {
  toolCallId: string;
  sessionId: string;
  signal: AbortSignal;
}

/** A tool of ours: its result is any JSON; what it throws is told to the model as an error. */
// biome-ignore lint/suspicious/noExplicitAny: each tool knows its own arguments
export type ToolFunction = (args: any, context: ToolContext) => unknown;

type Decision = CallDecision['decision'];

export interface RunOptions {
  /** The message that starts it. */
  message: NewMessage['message'] | string;
  /** By name, the tools that this client runs. */
  tools?: Record<string, ToolFunction>;
  /** Asked for calls that a person must allow; without it they are left to somebody else. */
  approve?: (call: ToolCall) => Decision | Promise<Decision>;
  /** Sees every event as it comes. */
  onEvent?: (event: SessionEvent) => void;
  signal?: AbortSignal;
}

export interface RunResult {
  /** The text of the answer. */
  text: string;
  message: EventMessage;
  /** The event that ended the turn. */
  turn: EventOf<'turn.completed'>;
}

/** What a run needs of a session. */
export interface RunPort {
  sessionId: string;
  say(message: NewMessage, signal: AbortSignal | undefined): Promise<Message>;
  watch(options: StreamOptions): EventStream;
  submit(result: ToolResult, signal: AbortSignal): Promise<unknown>;
  decide(decision: CallDecision, signal: AbortSignal): Promise<unknown>;
}

/** Say something, run the tools that the answer needs, and wait until the session is idle. */
export async function run(port: RunPort, options: RunOptions): Promise<RunResult> {
  const { message } = options;
  const body = typeof message === 'string' ? { content: message } : message;
  const sent = await port.say({ message: body }, options.signal);
  const work = new Work(port, options);
  const watched: StreamOptions = { after_sequence: sent.sequence, accumulated: false };
  if (options.signal) watched.signal = options.signal;
  const events = port.watch(watched);
  work.onFailure = () => events.close();
  try {
    for await (const event of events) {
      options.onEvent?.(event);
      work.see(event);
      if (event.type === 'session.idled') break;
    }
  } finally {
    work.end();
  }
  return work.result();
}

class Work {
  onFailure = () => {};
  readonly #port: RunPort;
  readonly #options: RunOptions;
  readonly #stop = new AbortController();
  #answer: EventMessage | undefined;
  #ending: EventOf<'turn.completed'> | EventOf<EverrunsTurnError['type']> | undefined;
  #failure: { reason: unknown } | undefined;

  constructor(port: RunPort, options: RunOptions) {
    this.#port = port;
    this.#options = options;
  }

  see(event: SessionEvent): void {
    switch (event.type) {
      case 'output.message.completed':
        // After a turn has failed comes a message that explains; it is no answer.
        if (event.data.error_code === undefined) this.#answer = event.data.message;
        break;
      case 'turn.completed':
      case 'turn.failed':
      case 'turn.cancelled':
      case 'turn.sealed':
        this.#ending = event;
        break;
      case 'tool.call_requested':
        for (const call of event.data.tool_calls) this.#keep(this.#runTool(call));
        break;
      case 'tool.approval_requested':
        for (const call of event.data.tool_calls) this.#keep(this.#decide(call));
        break;
    }
  }

  /** Tools that still run are told that nobody waits for them. */
  end(): void {
    this.#stop.abort();
  }

  result(): RunResult {
    if (this.#failure) throw this.#failure.reason;
    const ending = this.#ending;
    if (ending === undefined) throw new Error('The session went idle without an end of a turn');
    if (ending.type !== 'turn.completed') throw turnError(ending);
    const message = this.#answer;
    if (message === undefined) throw new Error('The turn ended without an answer');
    const texts = message.content.map((part) => part.text ?? '');
    return { text: texts.join(''), message, turn: ending };
  }

  #keep(task: Promise<void>): void {
    task.catch((reason: unknown) => {
      if (this.#stop.signal.aborted) return;
      this.#failure ??= { reason };
      this.onFailure();
    });
  }

  async #runTool(call: ToolCall): Promise<void> {
    const result = await this.#resultOf(call);
    const submit = (each: ToolResult) => this.#port.submit(each, this.#stop.signal);
    try {
      await submit(result);
    } catch (failure) {
      if (isRefused(failure, 422)) {
        // The result cannot be taken, being too large for instance: that is what the model hears.
        const error = failure.errors[0]?.message ?? failure.message;
        await submit({ tool_call_id: call.id, error });
      } else if (!wasAnswered(failure)) {
        throw failure;
      }
    }
  }

  async #resultOf(call: ToolCall): Promise<ToolResult> {
    const tool = Object.hasOwn(this.#options.tools ?? {}, call.name)
      ? this.#options.tools?.[call.name]
      : undefined;
    if (!tool) return { tool_call_id: call.id, error: `This client has no tool ${call.name}` };
    const { sessionId } = this.#port;
    const context = { toolCallId: call.id, sessionId, signal: this.#stop.signal };
    try {
      const result = await tool(call.arguments, context);
      return { tool_call_id: call.id, result: result === undefined ? null : result };
    } catch (failure) {
      const text = failure instanceof Error ? failure.message : String(failure);
      return { tool_call_id: call.id, error: text || 'The tool failed' };
    }
  }

  async #decide(call: ToolCall): Promise<void> {
    const { approve } = this.#options;
    if (!approve) return;
    const decision = await approve(call);
    try {
      await this.#port.decide({ tool_call_id: call.id, decision }, this.#stop.signal);
    } catch (failure) {
      if (!wasAnswered(failure)) throw failure;
    }
  }
}

function turnError(ending: EventOf<EverrunsTurnError['type']>): EverrunsTurnError {
  const { type, data } = ending;
  if (type === 'turn.failed') {
    const { turn_id, error, error_code } = data as EventOf<'turn.failed'>['data'];
    return new EverrunsTurnError(type, turn_id, error, error_code);
  }
  const { turn_id, reason } = data as { turn_id: string; reason?: string };
  const how = type === 'turn.cancelled' ? 'was cancelled' : 'was given up';
  return new EverrunsTurnError(type, turn_id, `The turn ${how}: ${reason ?? 'no reason given'}`);
}

/** Somebody else was quicker: a newer message, another client, the deadline. */
function wasAnswered(failure: unknown): boolean {
  return isRefused(failure, 409) || isRefused(failure, 400);
}

function isRefused(failure: unknown, status: number): failure is EverrunsError {
  return failure instanceof EverrunsError && failure.status === status;
}
