import { createReadStream } from 'node:fs';

/** fileHolds tells whether a file of any size has a text somewhere in its bytes. */
export async function fileHolds(path: string, text: string): Promise<boolean> {
  const wanted = Buffer.from(text);
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 ** 2 }) as AsyncIterable<Buffer>) {
    const seen = Buffer.concat([rest, chunk]);
    if (seen.includes(wanted)) return true;
    rest = seen.subarray(Math.max(0, seen.length - wanted.length + 1));
  }
  return false;
}
