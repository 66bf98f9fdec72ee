import type { ByteRange } from './fetch-ranges.ts';
import type { HttpAnswer } from './http-client.ts';

/** Requests whose answers are wanted soon, so that a range does not wait for the way there and back of the one before it. */
export interface AskAhead {
  /** The answer for a range: asked for already, or now. What was asked for otherwise is given up. */
  take(range: ByteRange): Promise<HttpAnswer>;
  /** Asks for ranges that follow, as many as may be on their way at a time. */
  ask(coming: readonly ByteRange[]): void;
  /** Gives up whatever is on its way. */
  drop(): void;
}

/** Answers that wait hold a socket each, and what the kernel takes for it. */
export const MOST_AHEAD = 3;

interface Asked {
  readonly range: ByteRange;
  readonly answer: Promise<HttpAnswer>;
}

/** openAskAhead asks for nothing yet. */
export function openAskAhead(ask: (range: ByteRange) => Promise<HttpAnswer>): AskAhead {
  let asked: Asked[] = [];
  const giveUp = (list: readonly Asked[]) => {
    for (const { answer } of list) answer.then(({ body }) => body.destroy()).catch(() => {});
  };
  const isSame = (left: ByteRange, right: ByteRange) =>
    left.offset === right.offset && left.sizeBytes === right.sizeBytes;
  return {
    take(range) {
      const [first, ...rest] = asked;
      if (first && isSame(first.range, range)) {
        asked = rest;
        return first.answer;
      }
      giveUp(asked);
      asked = [];
      return ask(range);
    },
    ask(coming) {
      for (const range of coming.slice(asked.length, MOST_AHEAD)) {
        const answer = ask(range);
        answer.catch(() => {}); // who takes it hears of it
        asked.push({ range, answer });
      }
    },
    drop() {
      giveUp(asked);
      asked = [];
    },
  };
}
