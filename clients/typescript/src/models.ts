import type { components } from './generated.js';

type Schemas = components['schemas'];

export type Agent = Schemas['Agent'];
export type AgentVersion = Schemas['AgentVersion'];
export type Capability = Schemas['Capability'];
export type Controls = Schemas['Controls'];
export type FileInfo = Schemas['FileInfo'];
export type Harness = Schemas['Harness'];
export type Image = Schemas['Image'];
export type McpServer = Schemas['McpServer'];
export type Model = Schemas['Model'];
export type PendingCall = Schemas['PendingCall'];
export type Provider = Schemas['Provider'];
export type Session = Schemas['Session'];
export type SessionFile = Schemas['SessionFile'];
export type Tool = Schemas['Tool'];
export type Usage = Schemas['Usage'];
export type Webhook = Schemas['Webhook'];
export type WebhookDelivery = Schemas['Delivery'];
export type Workspace = Schemas['Workspace'];

export type NewAgent = Schemas['NewAgent'];
export type NewMessage = Schemas['NewMessage'];
export type NewSession = Schemas['NewSession'];
/** A part of a message that is sent. */
export type ContentPart = Schemas['ContentPart'];
export type CallDecision = Schemas['CallDecision'];
export type ToolResult = Schemas['ToolResult'];

/*
 * Parts of messages that come back.  Each says that it has no text unless it has, so that
 * `message.content[0]?.text` reads the text of any of them.
 */

export type TextPart = {
  type: 'text';
  text: string;
};

export type ImagePart = {
  type: 'image';
  url?: string;
  base64?: string;
  media_type?: string;
  text?: undefined;
};

export type ImageFilePart = {
  type: 'image_file';
  image_id: string;
  filename?: string;
  text?: undefined;
};

export type ToolCallPart = {
  type: 'tool_call';
  id: string;
  name: string;
  arguments: Record<string, unknown>;
  text?: undefined;
};

export type ToolResultPart = {
  type: 'tool_result';
  tool_call_id: string;
  /** The result as text, or the error's text. */
  content: string;
  /** The result as JSON; null when there is none. */
  result: unknown;
  error: string | null;
  /** The same as `content`: what a reader of any message prints of its first part. */
  text: string;
};

export type MessagePart = TextPart | ImagePart | ImageFilePart | ToolCallPart | ToolResultPart;

export type Message = Omit<Schemas['Message'], 'content' | 'controls'> & {
  content: MessagePart[];
  controls?: Controls;
};

export interface MessageList {
  data: Message[];
  total: number;
  offset?: number;
  limit?: number;
}
