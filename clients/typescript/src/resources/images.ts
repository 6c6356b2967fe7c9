import type { Image } from '../models.js';
import { byOffset, type Pages } from '../pages.js';
import type { Api, QueryOf, ReplyOf } from '../routes.js';
import type { RequestOptions } from '../transport.js';
import { type FileSource, fileForm } from '../upload.js';

type ImageList = ReplyOf<'GET /v1/images'>;

export interface ImageUpload {
  file: FileSource;
  /** What the file is called, if it does not say so itself. */
  filename?: string;
  /** The session it belongs to, as a label. */
  session_id?: string;
}

/** Pictures for messages. */
export class Images {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Keep a PNG, JPEG, GIF or WebP file. */
  async upload(upload: ImageUpload, options?: RequestOptions): Promise<Image> {
    const body = await fileForm(upload.file, upload.filename, { session_id: upload.session_id });
    const call = { method: 'POST', path: '/v1/images', body };
    return (await this.#api.transport.json(call, options)) as Image;
  }

  /** Newest first. */
  list(query?: QueryOf<'GET /v1/images'>, options?: RequestOptions): Pages<Image, ImageList> {
    return byOffset(query, (page) => this.#api.call('GET /v1/images', { query: page }, options));
  }

  /** What is known of an image. */
  get(imageId: string, options?: RequestOptions): Promise<Image> {
    const path = { image_id: imageId };
    return this.#api.call('GET /v1/images/{image_id}/info', { path }, options);
  }

  /** The bytes as they were uploaded. */
  download(imageId: string, options?: RequestOptions): Promise<Uint8Array<ArrayBuffer>> {
    return this.#api.bytes('GET /v1/images/{image_id}', { path: { image_id: imageId } }, options);
  }

  /** A picture of at most 200 by 200, JPEG or PNG. */
  thumbnail(imageId: string, options?: RequestOptions): Promise<Uint8Array<ArrayBuffer>> {
    const path = { image_id: imageId };
    return this.#api.bytes('GET /v1/images/{image_id}/thumbnail', { path }, options);
  }

  async delete(imageId: string, options?: RequestOptions): Promise<void> {
    await this.#api.call('DELETE /v1/images/{image_id}', { path: { image_id: imageId } }, options);
  }
}
