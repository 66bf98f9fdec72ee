import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { followFile } from './follow-file.ts';

const scratchFile = async () => join(await scratchFolder('follow'), 'console.log');

async function collect(chunks: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

test('followFile waits for the file, follows it and ends after the last byte', async () => {
  const path = await scratchFile();
  const steps = [
    async () => {},
    () => appendFile(path, 'one '),
    () => appendFile(path, 'two '),
    () => appendFile(path, 'thrée'),
  ];
  const isOver = async () => {
    const step = steps.shift();
    await step?.();
    return step === undefined;
  };
  assert.equal((await collect(followFile(path, isOver))).join(''), 'one two thrée');
});

test('followFile ends without an error when it is aborted', async () => {
  const stop = new AbortController();
  const isOver = async () => {
    stop.abort();
    return false;
  };
  assert.deepEqual(await collect(followFile(await scratchFile(), isOver, stop.signal)), []);
});
