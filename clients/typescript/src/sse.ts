/** One server-sent event, as the HTML standard dispatches it. */
export interface Frame {
  event: string;
  data: string;
  /** The last id that was seen, this frame's or an earlier one's. */
  id: string;
}

/**
 * Reads `text/event-stream` (WHATWG HTML, 9.2.6) from bytes cut anywhere.
 *
 * What is left without an empty line after it when the stream ends is discarded, as the
 * standard demands: an event that was cut off did not arrive.
 */
export class FrameReader {
  /** The newest `retry:` in milliseconds, if there was one. */
  retryMs: number | undefined;
  /** What the next reconnect is to send as Last-Event-ID. */
  lastEventId = '';

  // Not all decoders take exactly one byte order mark away, so we do.
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #isAtStart = true;
  #rest = '';
  #endedWithCr = false;
  #id = '';
  #event = '';
  #data: string[] = [];

  /** The frames that these bytes complete. */
  push(bytes: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    for (const line of this.#lines(this.#text(bytes))) {
      const frame = line === '' ? this.#dispatched() : this.#noted(line);
      if (frame) frames.push(frame);
    }
    return frames;
  }

  #text(bytes: Uint8Array): string {
    const text = this.#decoder.decode(bytes, { stream: true });
    if (!this.#isAtStart || text === '') return text;
    this.#isAtStart = false;
    return text.startsWith('\ufeff') ? text.slice(1) : text;
  }

  /** Lines end with CR, LF or both; a CR that ends a chunk may still get its LF. */
  #lines(text: string): string[] {
    if (this.#endedWithCr && text !== '') {
      this.#endedWithCr = false;
      if (text.startsWith('\n')) text = text.slice(1);
    }
    if (text === '') return [];
    this.#endedWithCr = text.endsWith('\r');
    const lines = text.split(/\r\n|\r|\n/);
    lines[0] = this.#rest + lines[0];
    this.#rest = lines.pop() as string;
    return lines;
  }

  #noted(line: string): undefined {
    const colon = line.indexOf(':');
    if (colon === 0) return undefined; // a comment
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.#data.push(value);
    else if (name === 'event') this.#event = value;
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
    else if (name === 'retry' && /^[0-9]+$/.test(value)) this.retryMs = Number(value);
    return undefined;
  }

  #dispatched(): Frame | undefined {
    const event = this.#event || 'message';
    const data = this.#data;
    this.lastEventId = this.#id;
    this.#event = '';
    this.#data = [];
    return data.length === 0 ? undefined : { event, data: data.join('\n'), id: this.#id };
  }
}
