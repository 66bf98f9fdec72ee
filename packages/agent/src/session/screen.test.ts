import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handover, Screen } from './screen.ts';

const bytes = (text: string) => Buffer.from(text);

/** Whether it is fulfilled without anybody doing anything more. */
async function isDone(work: Promise<unknown>): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 20));
  return Promise.race([work.then(() => true), late]);
}

test('a writer waits until its piece was taken', async () => {
  const shown = handover();
  const writing = shown.show(bytes('one'));
  assert.equal(await isDone(writing), false);
  const pieces = shown.pieces();
  assert.equal(String((await pieces.next()).value), 'one');
  assert.equal(await isDone(writing), false, 'the reader still works on it');
  const next = pieces.next();
  await writing;
  shown.end();
  assert.equal((await next).done, true);
});

test('a reader who leaves in the middle of a piece does not hold what is shown', async () => {
  const screen = new Screen();
  const shown = handover();
  screen.attach(shown);
  const writing = screen.show(bytes('one'));
  const pieces = shown.pieces();
  await pieces.next();
  await pieces.return(undefined);
  screen.detach(shown);
  shown.end();
  assert.equal(await isDone(writing), true);
  await screen.show(bytes(', two'));
  assert.equal(String(screen.attach(handover())), 'one, two');
});

test('what is not taken any more does not hold the end', async () => {
  const screen = new Screen();
  screen.attach(handover());
  const writing = screen.show(bytes('one'));
  assert.equal(await isDone(writing), false);
  screen.close();
  await writing;
});
