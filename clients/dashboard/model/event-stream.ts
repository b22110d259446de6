export interface StreamEvent {
  readonly type: string;
  readonly data: string;
  /** The last one that the stream has given. */
  readonly id: string;
}

/** Takes server-sent events (WHATWG HTML 9.2.6) out of text that comes in pieces. */
export class EventStreamParser {
  #rest = '';
  #type = '';
  #data: string[] = [];
  #id: string;

  constructor(lastId = '') {
    this.#id = lastId;
  }

  /** Undefined fields, comments and half events give nothing. */
  push(text: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line !== '') this.#field(line);
      else if (this.#data.length > 0) events.push(this.#event());
      else this.#type = '';
    }
    return events;
  }

  #field(line: string): void {
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === 'event') this.#type = value;
    else if (name === 'data') this.#data.push(value);
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
  }

  #event(): StreamEvent {
    const event = { type: this.#type || 'message', data: this.#data.join('\n'), id: this.#id };
    this.#type = '';
    this.#data = [];
    return event;
  }
}
