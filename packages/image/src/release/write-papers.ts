import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatVexPaper, inventoryOfPapers, recheckTree } from '@plinth/advisory';
import { formatReference, makeReference } from '@plinth/attest';
import { hex, readUki, sha256 } from '@plinth/formats';
import { hashText } from '@plinth/host';
import { ARCHITECTURE } from '@plinth/updates';
import { hashTree, scanTree } from '../scan-tree.ts';
import type { SlotPart } from './disk/split-slot.ts';
import { collectFacts } from './facts/collect-facts.ts';
import { formatFacts } from './facts/release-facts.ts';
import type { ReleaseContext } from './release-context.ts';
import { makeBill } from './sbom/bill.ts';
import { readGoPrograms } from './sbom/read-go-programs.ts';
import { writeCycloneDx } from './sbom/write-cyclonedx.ts';
import { writeSpdx } from './sbom/write-spdx.ts';

/**
 * writePapers writes what describes the content of a release: both SBOMs, facts for comparing, what is said of its flaws and holds, PCR
 * predictions, reference values; gives their names.
 */
export async function writePapers(context: ReleaseContext): Promise<string[]> {
  const { inputs, folder, parts, names, disk } = context;
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
  const [spdx, factsText] = [writeSpdx(bill), formatFacts(facts)];
  const papers: readonly (readonly [string, string])[] = [
    [names.spdx, spdx],
    [names.cycloneDx, writeCycloneDx(bill)],
    [names.facts, factsText],
    ...(await vexPaper(context, uki, spdx, factsText)),
    [names.pcrs, `${JSON.stringify(inputs.pcrs, undefined, 2)}\n`],
    ...(await referencePaper(context, uki)),
  ];
  for (const [file, text] of papers) await writeFile(join(folder, file), text);
  return papers.map(([file]) => file);
}

/** What is said of the image, asked of this very image: each statement with its answer. */
async function vexPaper(
  { inputs, names }: ReleaseContext,
  uki: Uint8Array,
  spdx: string,
  facts: string,
): Promise<readonly (readonly [string, string])[]> {
  const { name, version, rootHash, kernel, treeDir, epochSeconds } = inputs;
  // The day of the image and not of the build, or two builds would not be the same.
  const day = new Date(epochSeconds * 1000);
  const inventory = inventoryOfPapers(
    {
      ...{ format: 1, name, version, architecture: ARCHITECTURE, created: day.toISOString(), rootHash },
      kernel: { version: kernel.release, commandLine: readUki(uki, names.uki).cmdline ?? '' },
    },
    { spdx: paper(names.spdx, spdx), facts: paper(names.facts, facts) },
  );
  const statements = await recheckTree(treeDir, inventory, day);
  return statements ? [[names.vex, formatVexPaper(statements, day)]] : [];
}

function paper(name: string, text: string) {
  return { name, text, sha256: hashText(text) };
}

/** What the release measures, event by event, on machines with the owner's keys. */
async function referencePaper(
  { inputs, layout, names }: ReleaseContext,
  uki: Uint8Array,
): Promise<readonly (readonly [string, string])[]> {
  const { name, version, rootHash, secureBoot } = inputs;
  if (!secureBoot) return [];
  const loader = await layout.esp.read('EFI/BOOT/BOOTX64.EFI');
  return [
    [names.reference, formatReference(makeReference({ name, version, rootHash, loader, uki, secureBoot }))],
  ];
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
