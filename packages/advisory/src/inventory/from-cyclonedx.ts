import { z } from 'zod';
import type { Inventory, SourceVersion } from '../model/index.ts';
import { parsePackageUrl } from './package-url.ts';
import { parseBill } from './parse-bill.ts';
import { type BillItem, sortBill } from './sort-bill.ts';

const text = z.string().max(20_000);
const property = z.object({ name: text, value: text.optional() });
const component = z.object({
  'bom-ref': text.optional(),
  type: text,
  name: text,
  group: text.optional(),
  version: text.optional(),
  purl: text.optional(),
  properties: z.array(property).max(1_000).optional(),
  /** Parts inside of it: files, and with some tools whole trees of packages. */
  get components() {
    return z.array(component).max(1_000_000).optional();
  },
});
type Component = z.infer<typeof component>;

const schema = z.object({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.enum(['1.3', '1.4', '1.5', '1.6', '1.7']),
  metadata: z
    .object({
      timestamp: text.optional(),
      component: z.object({ name: text, version: text.optional() }).optional(),
    })
    .optional(),
  components: z.array(component).max(500_000).optional(),
  dependencies: z
    .array(z.object({ ref: text, dependsOn: z.array(text).optional() }))
    .max(1_000_000)
    .optional(),
});

/**
 * inventoryOfCycloneDx reads a CycloneDX JSON document of version 1.3 to 1.7; pure. `dependsOn` is read as "compiled
 * in" only for what has no package of its own in the image: Go modules and source packages.
 * @throws advisory/subject-invalid
 */
export function inventoryOfCycloneDx(document: unknown, locator: string, sha256: string): Inventory {
  const bom = parseBill(schema, document, locator);
  const edges = new Map((bom.dependencies ?? []).map(({ ref, dependsOn }) => [ref, dependsOn ?? []]));
  const root = bom.metadata?.component;
  const files = new Set<string>();
  const items = allOf(bom.components ?? []).flatMap((each, index): BillItem[] => {
    if (each.type === 'file') {
      files.add(each.name);
      return [];
    }
    const own = (each.components ?? []).filter(({ type }) => type === 'file').map(({ name }) => name);
    for (const name of own) files.add(name);
    const purl = each.purl === undefined ? undefined : parsePackageUrl(each.purl);
    const id = each['bom-ref'] ?? `#${index}`;
    return [
      {
        id,
        name: purl?.type === 'golang' || each.group === undefined ? each.name : `${each.group}/${each.name}`,
        version: each.version ?? purl?.version ?? '',
        ...(purl ? { purl } : {}),
        ...sourceOf(each.properties ?? []),
        contains: edges.get(id) ?? [],
        files: own,
        isFrame: FRAMES.has(each.type) || (each.components ?? []).some(({ type }) => type !== 'file'),
      },
    ];
  });
  const sorted = sortBill(items.map(withGoPath), { source: 'cyclonedx', locator });
  return {
    format: 1,
    subject: {
      kind: 'cyclonedx',
      name: root?.name ?? locator,
      ...(root?.version === undefined ? {} : { version: root.version }),
      ...(bom.metadata?.timestamp === undefined ? {} : { created: bom.metadata.timestamp }),
      ...sorted.subject,
    },
    inputs: [{ locator, sha256, source: 'cyclonedx' }],
    ...sorted.parts,
    ...(files.size > 0 ? { files: [...files].sort() } : {}),
  };
}

/** Kinds of components that are no software with versions of its own. */
const FRAMES = new Set([
  'operating-system',
  'container',
  'device',
  'platform',
  'data',
  'machine-learning-model',
  'cryptographic-asset',
]);

/** A component and all that is inside of it; parseBoundedJson bounds how deep that can go. */
function allOf(components: readonly Component[]): Component[] {
  return components.flatMap((each) => [each, ...allOf(each.components ?? [])]);
}

/** A Go module goes by its whole path, which tools put into name, group or only the package URL. */
function withGoPath(item: BillItem): BillItem {
  if (item.purl?.type !== 'golang' || item.name.includes('/') || item.name === 'stdlib') return item;
  const { namespace, name } = item.purl;
  return { ...item, name: namespace === '' ? name : `${namespace}/${name}` };
}

/** Ours, syft's ("upstream" is in the package URL) and trivy's names for the source package. */
function sourceOf(properties: readonly z.infer<typeof property>[]): { source?: SourceVersion } {
  const value = (name: string) => properties.find((each) => each.name === name)?.value;
  const source = value('plinth:debian:source') ?? value('aquasecurity:trivy:SrcName');
  const version = value('plinth:debian:source-version') ?? trivyVersion(value);
  return source === undefined || version === undefined ? {} : { source: { source, version } };
}

function trivyVersion(value: (name: string) => string | undefined): string | undefined {
  const upstream = value('aquasecurity:trivy:SrcVersion');
  if (upstream === undefined) return undefined;
  const epoch = value('aquasecurity:trivy:SrcEpoch');
  const revision = value('aquasecurity:trivy:SrcRelease');
  return `${epoch === undefined ? '' : `${epoch}:`}${upstream}${revision === undefined ? '' : `-${revision}`}`;
}
