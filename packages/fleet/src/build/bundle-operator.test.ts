import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '@plinth/host/testing';
import { bundleOperator, OPERATOR_FILES, OPERATOR_FLAGS } from './bundle-operator.ts';

test('the thread that asks gates of CEL works as it is in the image, where no code is made from texts', async () => {
  const folder = await scratchFolder('fleet-bundle');
  await bundleOperator(folder);
  const question = {
    expression: "object.name.matches('^x+$') && object.count + 1 == 3",
    text: JSON.stringify({ name: 'xx', count: 2 }),
  };
  const main = join(folder, 'ask.mjs');
  await writeFile(
    main,
    `import { Worker } from 'node:worker_threads';
const worker = new Worker(new URL('./${OPERATOR_FILES.cel}', import.meta.url), { workerData: ${JSON.stringify(question)}, env: {} });
worker.on('message', (message) => console.log(JSON.stringify(message)));`,
  );
  const lines = execFileSync(process.execPath, [...OPERATOR_FLAGS, main], { encoding: 'utf8' }).trim();
  const [ready, answer] = lines.split('\n').map((line) => JSON.parse(line) as unknown);
  assert.equal(ready, 'ready');
  assert.equal((answer as { state: string }).state, 'pass');
});
