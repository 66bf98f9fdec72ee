import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';

// plinthd has no compiler for hot code and 96 MB of heap. A root of 256 MiB, the size of a slot, in the way it runs there.

const BLOCKS = 65_536;
const PROGRAM = `
  import { randomFillSync } from 'node:crypto';
  import { planDelta } from './plan-delta.ts';

  const BLOCKS = ${BLOCKS};
  const tree = (leaves) => ({ header: { uuid: '', salt: new Uint8Array(32), dataBlocks: leaves.length / 32 }, leaves });
  const old = randomFillSync(new Uint8Array(BLOCKS * 32));
  const next = new Uint8Array(BLOCKS * 32);
  // A release: all moved by 100 blocks, every 20th changed, every 33rd a block of zeros.
  next.set(old.subarray(0, (BLOCKS - 100) * 32), 100 * 32);
  for (let block = 0; block < BLOCKS; block += 20) randomFillSync(next, block * 32, 32);
  for (const leaves of [old, next]) for (let block = 0; block < BLOCKS; block += 33) leaves.fill(7, block * 32, block * 32 + 32);
  const before = process.memoryUsage();
  const cpu = process.cpuUsage();
  const plan = planDelta({
    newTree: tree(next),
    slots: [{ slot: 'a', tree: tree(old) }, { slot: 'b', tree: tree(old.slice()) }],
    target: 'b',
  });
  const used = process.cpuUsage(cpu);
  const after = process.memoryUsage();
  const hexOf = (leaves, block) => Buffer.from(leaves.subarray(block * 32, block * 32 + 32)).toString('hex');
  const known = new Set(Array.from({ length: BLOCKS }, (_, block) => hexOf(old, block)));
  console.log(JSON.stringify({
    cpuMs: (used.user + used.system) / 1000,
    bytes: after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers,
    fetched: plan.fetch.reduce((sum, { length }) => sum + length, 0) / 4096,
    missing: Array.from({ length: BLOCKS }, (_, block) => hexOf(next, block)).filter((leaf) => !known.has(leaf)).length,
  }));
`;

test('a slot of 256 MiB is planned without a compiler in little memory', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'plinth-delta-'));
  try {
    const outfile = join(dir, 'delta.cjs');
    const here = fileURLToPath(new URL('.', import.meta.url));
    await build({
      stdin: { contents: PROGRAM, resolveDir: here, loader: 'ts' },
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile,
      logLevel: 'error',
    });
    const flags = ['--jitless', '--max-old-space-size=96', '--max-semi-space-size=2'];
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, outfile], { timeout: 60_000 });
    const { cpuMs, bytes, fetched, missing } = JSON.parse(stdout);
    // Two slots: an index of 262,144 places, five bytes each, and five bytes a block for the answer.
    assert.ok(bytes < 8 * 1024 * 1024, `${bytes} bytes`);
    assert.ok(cpuMs < 5000, `${cpuMs} ms`);
    assert.ok(missing > 3000 && fetched >= missing && fetched < missing * 1.2, `${fetched} for ${missing}`);
  } finally {
    await rm(dir, { recursive: true });
  }
});
