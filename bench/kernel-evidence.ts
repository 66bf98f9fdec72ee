import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type BinaryComponent, openAdvisoryStore, readSubject, scanInventory } from '@plinth/advisory';

/**
 * Prints how many identifiers of a kernel update the image itself decides: its code is not compiled, is for another
 * architecture, or is compiled (asked: 60 %). The release is judged as if its kernel were an older one of the series.
 * Usage: node bench/kernel-evidence.ts RELEASE [--from 6.12.107-1]
 */
const TARGET = 0.6;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { from: { type: 'string', default: '6.12.107-1' } },
});
const [release] = positionals;
if (release === undefined) throw new Error('Cannot judge a kernel: expected a folder of "plinth build"');

const folder = mkdtempSync(join(tmpdir(), 'plinth-bench-kernel-'));
const store = await openAdvisoryStore(join(folder, 'feeds.sqlite'));
try {
  const inventory = await readSubject(release);
  const older = { ...inventory, binaries: inventory.binaries.map(withOlderKernel) };
  const { findings } = await scanInventory(older, store, {});
  const kernel = findings.filter(({ components }) => components.some(({ name }) => name === 'linux'));
  const by = Map.groupBy(kernel, ({ verdict, evidence }) => {
    const [shown] = evidence.filter(
      ({ source, kind, speaksFor }) => source === 'image' && speaksFor === verdict && kind !== 'architecture',
    );
    const elsewhere = evidence.some(
      ({ source, kind, speaksFor }) =>
        source === 'image' && kind === 'architecture' && speaksFor === 'not-affected',
    );
    if (verdict === 'not-affected') return elsewhere ? 'for other architectures' : 'not compiled';
    return shown ? 'compiled' : 'not decided';
  });
  const decided = kernel.length - (by.get('not decided')?.length ?? 0);
  const share = decided / kernel.length;
  console.log(`kernel   ${values.from} with the configuration of ${inventory.kernel?.release}`);
  console.log(`found    ${kernel.length} identifiers that updates of linux since then fix`);
  for (const [what, list] of by) console.log(`         ${String(list.length).padStart(5)} ${what}`);
  const verdict = share >= TARGET ? 'met' : 'MISSED';
  console.log(`decided  ${(share * 100).toFixed(1)} %, asked ${TARGET * 100} %: ${verdict}`);
} finally {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
}

function withOlderKernel(binary: BinaryComponent): BinaryComponent {
  if (binary.source === 'linux') return { ...binary, sourceVersion: values.from };
  if (!binary.source.startsWith('linux-signed-')) return binary;
  return {
    ...binary,
    sourceVersion: values.from.replace('-', '+'),
    builtUsing: binary.builtUsing.map((item) =>
      item.source === 'linux' ? { ...item, version: values.from } : item,
    ),
  };
}
