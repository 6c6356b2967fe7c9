import type { components } from './generated.js';
import type { MessagePart } from './models.js';

type Json = Record<string, unknown>;
type Schemas = components['schemas'];

/** A message as events carry it: its place in the log is the event's own. */
export interface EventMessage {
  id: string;
  role: 'user' | 'agent';
  content: MessagePart[];
  created_at: string;
  phase?: 'commentary' | 'final_answer';
  controls?: Schemas['Controls'];
  metadata?: Json;
  tags?: string[];
}

export interface TokenUsage {
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens?: number;
  cache_creation_tokens?: number;
}

export interface ToolCall {
  id: string;
  name: string;
  arguments: Json;
}

interface Failure {
  error_code?: string;
  error_fields?: Json;
}

interface Step {
  turn_id: string;
}

interface Delta extends Step {
  /** The text that is new. */
  delta: string;
  /** All text so far, unless the stream was opened with `accumulated: false`. */
  accumulated?: string;
}

interface TitleChange {
  title: string | null;
  previous_title?: string | null;
}

interface ToolReport {
  tool_call_id: string;
  tool_name: string;
}

/** What each type of event says; the types that the server emits. */
export interface EventData {
  'session.started': { harness_id: string; agent_id?: string | null; model_id?: string | null };
  'session.activated': Step & { input_message_id: string };
  'session.idled': Step & { iterations?: number; usage?: TokenUsage };
  'session.title.updated': TitleChange;
  'session.model.changed': { model_id: string | null; previous_model_id: string | null };
  'input.message': { message: EventMessage };
  'turn.started': Step & { input_message_id: string };
  'turn.completed': Step & {
    iterations: number;
    duration_ms?: number;
    usage?: TokenUsage;
    final_message_id?: string;
    llm_call_count?: number;
    tool_call_count?: number;
  };
  'turn.failed': Step & Failure & { error: string; error_disclosure?: string };
  'turn.cancelled': Step & { reason?: string; usage?: TokenUsage };
  'turn.sealed': Step & { reason: string; iterations?: number; usage?: TokenUsage };
  'reason.started': { harness_id: string; agent_id?: string; metadata?: Json };
  'reason.completed': {
    success: boolean;
    has_tool_calls: boolean;
    tool_call_count: number;
    text_preview?: string | null;
    usage?: TokenUsage;
    duration_ms?: number;
    error?: string | null;
  };
  'reason.recovered': Step & { mode: string; accumulated_len: number };
  'reason.thinking.started': Step & { model?: string | null };
  'reason.thinking.delta': Delta;
  'reason.thinking.completed': Step & { thinking: string };
  'output.message.started': Step & { model?: string; iteration?: number; message_id?: string };
  'output.message.delta': Delta & { message_id?: string; iteration?: number };
  'output.message.completed': Failure & {
    message: EventMessage;
    metadata?: Json | null;
    usage?: TokenUsage;
  };
  'llm.generation': { output: Json; metadata: Json };
  'act.started': { tool_calls: { id: string; name: string; approval?: string }[] };
  'act.completed': { completed: boolean; success_count: number; error_count: number };
  'tool.started': { tool_call: ToolCall; display_name?: string };
  'tool.completed': ToolReport & {
    success: boolean;
    status: 'success' | 'error' | 'timeout' | 'cancelled';
    result?: MessagePart[];
    error?: string;
    duration_ms?: number;
  };
  'tool.progress': ToolReport & { message: string };
  'tool.output.delta': ToolReport & { stream: 'stdout' | 'stderr'; delta: string };
  'tool.call_requested': { tool_calls: ToolCall[]; deadline: string };
  'tool.approval_requested': { tool_calls: ToolCall[]; deadline: string };
  'tool.approval_resolved': ToolReport & { decision: string; by?: string; reason?: string };
  'context.compacting': Json;
  'context.compacted': Json;
  'context.compaction.failed': Json;
  'file.written': { path: string; operation: string; created?: boolean; size_bytes?: number };
}

export type EventType = keyof EventData;

/** An event of one type. */
export interface EventOf<T extends EventType> {
  /** A cursor: `since_id` goes on after it, in the middle of a text too. */
  id: string;
  type: T;
  ts: string;
  session_id: string;
  /** Its place in the session; deltas have none. */
  sequence?: number;
  context: Schemas['EventContext'] & Json;
  data: EventData[T];
  metadata: Json | null;
  tags: string[];
}

/**
 * Any event, told apart by `type`.  A newer server may send types that are not listed here;
 * they are passed on as they are.
 */
export type SessionEvent = { [T in EventType]: EventOf<T> }[EventType];
