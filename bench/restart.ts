// For how long a node, its kubelet and a pod do not answer when a version with the same kernel is started, by soft-reboot and by a full
// reboot: node bench/restart.ts. It builds the image and a layer, boots one machine and makes a cluster of it; without KVM
// that takes most of an hour.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDir } from '@plinth/host';
import { z } from 'zod';
import { openBenchFolder } from './lib/bench-folder.ts';
import { printConditions, printTable, seconds } from './lib/figures.ts';

const program = fileURLToPath(new URL('../packages/cli/src/main.ts', import.meta.url));
const measurement = fileURLToPath(new URL('../tests/boot/soft-reboot-pods.bench.ts', import.meta.url));
const schema = z.array(z.object({ what: z.string(), longestMs: z.number(), answers: z.number() }));

await using folder = await openBenchFolder();
// The test of one machine builds the image, and shows that it goes by soft-reboot at all.
await run([program, 'test', '--boot', '--only', 'soft-reboot']);
const built = join(cacheDir(), 'test');
await run(['--test', measurement], {
  PLINTH_TEST_RELEASE: join(built, 'release'),
  PLINTH_TEST_KEYS: join(built, 'keys'),
  PLINTH_TEST_LAYERS: join(built, 'layers'),
});

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env, PLINTH_TEST_OUT: folder.scratch },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const code = await new Promise<number>((done) => child.once('close', (ended) => done(ended ?? -1)));
  if (code !== 0) throw new Error(`nothing was measured: ${args.join(' ')} ended with ${code}`);
}

const read = async (way: string) =>
  schema.parse(JSON.parse(await readFile(join(folder.scratch, `outages-${way}.json`), 'utf8')));
const [soft, full] = [await read('soft-reboot'), await read('full-reboot')];
printTable(
  'Seconds without an answer, from the last before to the first after',
  ['what', 'full reboot', 'soft-reboot', 'ratio'],
  full.map(({ what, longestMs }) => {
    const other = soft.find((each) => each.what === what)?.longestMs ?? Number.NaN;
    return [what, seconds(longestMs), seconds(other), (longestMs / other).toFixed(1)];
  }),
);
printConditions();
