import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventStreamParser } from '../../../clients/dashboard/model/event-stream.ts';

const STREAM = [
  'retry: 2000\n\n',
  'event: snapshot-begin\ndata: {}\n\n',
  ': still here\n\n',
  'event: value\ndata: {"key":"a",\ndata: "value":"1"}\r\n\r\n',
  'id: p1\n\n',
  'data:bare\n\n',
  'event: value\ndata: half',
].join('');

const EVENTS = [
  { type: 'snapshot-begin', data: '{}' },
  { type: 'value', data: '{"key":"a",\n"value":"1"}' },
  { type: 'message', data: 'bare' },
];

describe('server-sent events', () => {
  it('are the same however the stream is cut', () => {
    const cuts = fc.array(fc.nat(STREAM.length), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, (positions) => {
        const parser = new EventStreamParser();
        const ends = [...positions.sort((a, b) => a - b), STREAM.length];
        let begin = 0;
        const events = ends.flatMap((end) => {
          const piece = STREAM.slice(begin, end);
          begin = end;
          return parser.push(piece);
        });
        expect(events).toEqual(EVENTS);
        expect(parser.lastId).toBe('p1');
      }),
    );
  });

  it('begin where one was; an id counts when its event has ended', () => {
    const parser = new EventStreamParser('p7');
    parser.push('id: p8\n');
    expect(parser.lastId).toBe('p7');
    parser.push('\n');
    expect(parser.lastId).toBe('p8');
  });
});
