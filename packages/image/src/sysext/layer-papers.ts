import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import type { LockedPackage } from '@plinth/debian';
import { hashText } from '@plinth/host';
import { ARCHITECTURE } from '@plinth/updates';
import type { BuiltGoComponent } from '../go/build-go-component.ts';
import type { BillFile } from '../release/sbom/bill.ts';
import { type LayerProgramFacts, makeLayerBill } from '../release/sbom/layer-bill.ts';
import { writeSpdx } from '../release/sbom/write-spdx.ts';
import { hashTree, scanTree } from '../scan-tree.ts';
import { sourceOf } from '../spec/program-source.ts';
import type { LayerSpec } from './layer-spec.ts';

export interface LayerPapersInputs {
  readonly spec: LayerSpec;
  readonly minor: string;
  readonly version: string;
  readonly rootHash: string;
  readonly epochSeconds: number;
  /** The tree of the layer. */
  readonly treeDir: string;
  readonly components: ReadonlyMap<string, BuiltGoComponent>;
  readonly packages: readonly LockedPackage[];
}

/** layerPapersName is what the papers of a layer are called, beside its image. */
export function layerPapersName(name: string, version: string): string {
  return `${name}_${version}_${ARCHITECTURE}.layer.json`;
}

/**
 * writeLayerPapers writes what a Kubernetes layer is made of: an SBOM, and a paper that ties it to the root hash by which the
 * kernel of a node knows the layer. The same layer always gives the same papers.
 * @throws image/spec-invalid, host/io
 */
export async function writeLayerPapers(inputs: LayerPapersInputs, folder: string): Promise<void> {
  const { spec, version, rootHash, epochSeconds, packages } = inputs;
  const { entries } = await hashTree(await scanTree(inputs.treeDir, new Map()));
  const files = new Map(
    entries.flatMap(({ path, sha256, sha1 }): [string, BillFile][] =>
      sha256 === undefined || sha1 === undefined ? [] : [[path, { path, sha256, sha1 }]],
    ),
  );
  const programs = programsOf(inputs, files);
  const spdx = writeSpdx(makeLayerBill({ name: spec.name, version, epochSeconds, programs, packages }));
  const spdxName = `${spec.name}_${version}_${ARCHITECTURE}.spdx.json`;
  const paper = {
    ...{ format: 1, kind: 'kubernetes-layer', name: spec.name, version, architecture: ARCHITECTURE },
    ...{ created: new Date(epochSeconds * 1000).toISOString(), rootHash },
    spdx: { name: spdxName, sha256: hashText(spdx) },
    files: entries.filter(({ kind }) => kind !== 'dir').map(({ path }) => path),
  };
  await writeFile(join(folder, spdxName), spdx);
  await writeFile(
    join(folder, layerPapersName(spec.name, version)),
    `${JSON.stringify(paper, undefined, 1)}\n`,
  );
}

/** Each compiled program of the layer once, those inside of its container images too. */
function programsOf(
  { spec, minor, components }: LayerPapersInputs,
  files: ReadonlyMap<string, BillFile>,
): LayerProgramFacts[] {
  const placed = [
    ...spec.programs.map(({ from, path }) => ({ from, file: files.get(path) })),
    ...spec.images.map(({ from }) => ({ from, file: undefined })),
  ];
  return placed.flatMap(({ from, file }): LayerProgramFacts[] => {
    const { owner, program } = sourceOf(from, minor);
    if (owner === 'package') return [];
    const built = components.get(owner);
    const info = built?.modules[program];
    if (!built || !info) {
      throw new PlinthError(
        'image/spec-invalid',
        `Cannot describe ${from}: nothing of that name was built, expected a component with its list of modules`,
      );
    }
    return [{ name: program, version: built.component.version, info, ...(file ? { file } : {}) }];
  });
}
