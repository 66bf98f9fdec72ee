import type { LockedPackage } from '@plinth/debian';
import type { GoBuildInfo } from '@plinth/formats';
import { compareText } from '../../compare-text.ts';
import { type Bill, type BillComponent, type BillFile, goComponents, packageComponent } from './bill.ts';
import { packageUrl } from './package-url.ts';

/** A program that a layer brings, in /usr or in one of its container images. */
export interface LayerProgramFacts {
  /** Unique in the layer: "plinth-kube". */
  readonly name: string;
  /** Version of what it was compiled from: "1.37.1". */
  readonly version: string;
  readonly info: GoBuildInfo;
  /** The file, where it lies in /usr; inside of a container image it has none. */
  readonly file?: BillFile;
}

export interface LayerBillInputs {
  readonly name: string;
  readonly version: string;
  readonly epochSeconds: number;
  readonly programs: readonly LayerProgramFacts[];
  readonly packages: readonly LockedPackage[];
}

/** makeLayerBill names what a Kubernetes layer is made of: its programs with their modules, and its packages; pure. */
export function makeLayerBill({ programs, packages, ...layer }: LayerBillInputs): Bill {
  const compiledIn = new Map<string, BillComponent>();
  const own = programs.map(({ name, version, info, file }): BillComponent => {
    const parts = goComponents(info);
    for (const part of parts) compiledIn.set(part.id, part);
    return {
      ...{ id: `program-${name}`, kind: 'application', name, version },
      purl: packageUrl('golang', info.path ?? name, version),
      files: file ? [file] : [],
      contains: [...new Set(parts.map(({ id }) => id))].sort(compareText),
    };
  });
  const debian = packages.map(
    (item): BillComponent => ({ ...packageComponent(item, undefined), files: [], contains: [] }),
  );
  return {
    ...layer,
    prettyName: `Kubernetes layer ${layer.version} of Plinth`,
    components: [...own, ...debian, ...compiledIn.values()].sort((a, b) => compareText(a.id, b.id)),
  };
}
