export { EverrunsClient } from './client.js';
export {
  EverrunsConnectionError,
  EverrunsError,
  EverrunsTimeoutError,
  EverrunsTurnError,
  type FieldProblem,
} from './errors.js';
export type * from './events.js';
export type { components, paths } from './generated.js';
export type * from './models.js';
export { type Page, Pages } from './pages.js';
export type { ImageUpload } from './resources/images.js';
export type { RunOptions, RunResult, ToolContext, ToolFunction } from './run.js';
export { type Frame, FrameReader } from './sse.js';
export { EventStream, type StreamOptions } from './stream.js';
export type { ClientOptions, Query, RequestOptions } from './transport.js';
export type { FileSource } from './upload.js';
export { VERSION } from './version.js';
