export interface StreamEvent {
  readonly type: string;
  readonly data: string;
}

/** Takes server-sent events (WHATWG HTML 9.2.6) out of text that comes in pieces. */
export class EventStreamParser {
  #rest = '';
  #type = '';
  #data: string[] = [];
  #nextId: string;
  #lastId: string;

  constructor(lastId = '') {
    this.#nextId = lastId;
    this.#lastId = lastId;
  }

  /** What to send as `Last-Event-ID`. It may come by itself, without an event. */
  get lastId(): string {
    return this.#lastId;
  }

  /** Unknown fields, comments and half events give nothing. */
  push(text: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') events.push(...this.#end());
      else this.#field(line);
    }
    return events;
  }

  #field(line: string): void {
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === 'event') this.#type = value;
    else if (name === 'data') this.#data.push(value);
    else if (name === 'id' && !value.includes('\0')) this.#nextId = value;
  }

  /** An empty line. */
  #end(): StreamEvent[] {
    this.#lastId = this.#nextId;
    const event = { type: this.#type || 'message', data: this.#data.join('\n') };
    const isThere = this.#data.length > 0;
    this.#type = '';
    this.#data = [];
    return isThere ? [event] : [];
  }
}
