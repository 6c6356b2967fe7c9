/** What can be uploaded: a Blob or File, bytes, or a stream of them such as Node's read streams. */
export type FileSource =
  | Blob
  | ArrayBuffer
  | ArrayBufferView
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>;

/**
 * A form with the file in it.  Streams are read to their end first, so that the upload has a
 * length and can be sent again.
 */
export async function fileForm(
  file: FileSource,
  filename: string | undefined,
  fields: Record<string, string | undefined>,
): Promise<FormData> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) form.append(name, value);
  }
  form.append('file', await blobOf(file), filename ?? nameOf(file) ?? 'file');
  return form;
}

async function blobOf(file: FileSource): Promise<Blob> {
  if (file instanceof Blob) return file;
  if (file instanceof ArrayBuffer) return new Blob([file]);
  if (ArrayBuffer.isView(file)) return new Blob([file as ArrayBufferView<ArrayBuffer>]);
  const chunks: BlobPart[] = [];
  for await (const chunk of chunksOf(file)) chunks.push(chunk as BlobPart);
  return new Blob(chunks);
}

/** Not every browser can iterate a ReadableStream. */
async function* chunksOf(
  file: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>,
): AsyncGenerator<Uint8Array | string> {
  if (Symbol.asyncIterator in file) {
    yield* file as AsyncIterable<Uint8Array | string>;
    return;
  }
  const reader = (file as ReadableStream<Uint8Array>).getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}

/** The name a File has, or the last part of the path that a read stream reads. */
function nameOf(file: object): string | undefined {
  if ('name' in file && typeof file.name === 'string' && file.name !== '') return file.name;
  if ('path' in file && (typeof file.path === 'string' || file.path instanceof Uint8Array)) {
    return String(file.path).split(/[\\/]/).pop() || undefined;
  }
  return undefined;
}
