import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hex, readUki, sha256 } from '@plinth/formats';
import { hashTree, scanTree } from '../scan-tree.ts';
import type { SlotPart } from './disk/split-slot.ts';
import { collectFacts } from './facts/collect-facts.ts';
import { formatFacts } from './facts/release-facts.ts';
import type { ReleaseContext } from './release-context.ts';
import { makeBill } from './sbom/bill.ts';
import { readGoPrograms } from './sbom/read-go-programs.ts';
import { writeCycloneDx } from './sbom/write-cyclonedx.ts';
import { writeSpdx } from './sbom/write-spdx.ts';

/** writePapers writes what describes the content of a release: both SBOMs, facts for comparing, PCR predictions; gives their names. */
export async function writePapers({ inputs, folder, parts, names, disk }: ReleaseContext): Promise<string[]> {
  const { name, version, prettyName, epochSeconds, lock, agent, licences } = inputs;
  const uki = await readFile(inputs.ukiPath);
  const tree = await hashTree(await scanTree(inputs.treeDir, inputs.owners));
  const goPrograms = await readGoPrograms(tree);
  const bill = makeBill({
    ...{
      name,
      version,
      prettyName,
      epochSeconds,
      packages: lock.packages,
      licences,
      tree,
      goPrograms,
      agent,
    },
    kernel: {
      release: inputs.kernel.release,
      package: inputs.kernel.package,
      sha256: hex(sha256(readUki(uki, names.uki).linux)),
    },
  });
  const facts = await collectFacts({
    ...{ name, version, packages: lock.packages, tree },
    kernelConfig: inputs.kernel.config,
    sizes: releaseSizes(parts, uki.length, disk.sizeBytes),
  });
  const papers: readonly (readonly [string, string])[] = [
    [names.spdx, writeSpdx(bill)],
    [names.cycloneDx, writeCycloneDx(bill)],
    [names.facts, formatFacts(facts)],
    [names.pcrs, `${JSON.stringify(inputs.pcrs, undefined, 2)}\n`],
  ];
  for (const [file, text] of papers) await writeFile(join(folder, file), text);
  return papers.map(([file]) => file);
}

/** Sizes by the names that the policy's budgets use too. */
function releaseSizes(
  parts: readonly SlotPart[],
  ukiBytes: number,
  diskBytes: number,
): Record<string, number> {
  const sizeOf = (kind: SlotPart['kind']) => parts.find((part) => part.kind === kind)?.sizeBytes ?? 0;
  return { root: sizeOf('root'), verity: sizeOf('root-verity'), uki: ukiBytes, disk: diskBytes };
}
