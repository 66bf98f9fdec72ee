import { z } from 'zod';
import type { Inventory, SourceVersion } from '../model/index.ts';
import { parsePackageUrl } from './package-url.ts';
import { parseBill } from './parse-bill.ts';
import { type BillItem, sortBill } from './sort-bill.ts';

const text = z.string().max(20_000);
const schema = z.object({
  spdxVersion: z.literal('SPDX-2.3'),
  name: text,
  creationInfo: z.object({ created: text.optional() }).optional(),
  packages: z
    .array(
      z.object({
        SPDXID: text,
        name: text,
        versionInfo: text.optional(),
        sourceInfo: text.optional(),
        primaryPackagePurpose: text.optional(),
        externalRefs: z.array(z.object({ referenceType: text, referenceLocator: text })).optional(),
      }),
    )
    .max(500_000),
  files: z
    .array(z.object({ SPDXID: text, fileName: text }))
    .max(2_000_000)
    .optional(),
  relationships: z
    .array(z.object({ spdxElementId: text, relationshipType: text, relatedSpdxElement: text }))
    .max(5_000_000)
    .optional(),
});

/** Packages of these purposes are no software (SPDX 2.3, clause 7.24). */
const FRAMES = new Set(['OPERATING-SYSTEM', 'CONTAINER', 'DEVICE']);

/**
 * inventoryOfSpdx reads an SPDX 2.3 document: Debian packages and what is linked into them, Go and npm modules; pure.
 * @throws advisory/subject-invalid
 */
export function inventoryOfSpdx(document: unknown, locator: string, sha256: string): Inventory {
  const spdx = parseBill(schema, document, locator);
  const image = spdx.packages.find((each) => each.primaryPackagePurpose === 'OPERATING-SYSTEM');
  const fileNames = new Map(
    (spdx.files ?? []).map((file) => [file.SPDXID, file.fileName.replace(/^\.\//, '/')]),
  );
  const packages = new Set(spdx.packages.map(({ SPDXID }) => SPDXID));
  const linked = new Map<string, string[]>();
  const contained = new Map<string, string[]>();
  const frames = new Set<string>();
  for (const { spdxElementId, relationshipType, relatedSpdxElement } of spdx.relationships ?? []) {
    if (relationshipType === 'STATIC_LINK') push(linked, spdxElementId, relatedSpdxElement);
    // syft and trivy hang what they found below packages that stand for the image, or for a file of versions.
    if (relationshipType === 'CONTAINS' && packages.has(relatedSpdxElement)) frames.add(spdxElementId);
    if (relationshipType === 'CONTAINS' && fileNames.has(relatedSpdxElement)) {
      push(contained, spdxElementId, fileNames.get(relatedSpdxElement) ?? '');
    }
  }
  const items = spdx.packages.map((each): BillItem => {
    const purls = (each.externalRefs ?? [])
      .filter(({ referenceType }) => referenceType === 'purl')
      .flatMap(({ referenceLocator }) => parsePackageUrl(referenceLocator) ?? []);
    const source = purls.find(({ type, qualifiers }) => type === 'deb' && qualifiers['arch'] === 'source');
    const own = purls.find((purl) => purl !== source) ?? source;
    return {
      id: each.SPDXID,
      name: each.name,
      version: each.versionInfo ?? '',
      ...(own ? { purl: own } : {}),
      ...sourceOf(own === source ? undefined : source, each.sourceInfo),
      contains: linked.get(each.SPDXID) ?? [],
      isFrame: frames.has(each.SPDXID) || FRAMES.has(each.primaryPackagePurpose ?? ''),
      files: contained.get(each.SPDXID) ?? [],
    };
  });
  const files = fileNames.size === 0 ? undefined : [...new Set(fileNames.values())].sort();
  const sorted = sortBill(items, { source: 'spdx', locator });
  return {
    format: 1,
    subject: {
      kind: 'spdx',
      name: image?.name ?? spdx.name,
      ...(image?.versionInfo === undefined ? {} : { version: image.versionInfo }),
      ...(spdx.creationInfo?.created === undefined ? {} : { created: spdx.creationInfo.created }),
      ...sorted.subject,
    },
    inputs: [{ locator, sha256, source: 'spdx' }],
    ...sorted.parts,
    ...(files ? { files } : {}),
  };
}

function sourceOf(
  purl: { readonly name: string; readonly version: string } | undefined,
  sourceInfo: string | undefined,
): { source?: SourceVersion } {
  if (purl) return { source: { source: purl.name, version: purl.version } };
  // Ours, then syft's and trivy's way to say it in words.
  const [, name, version] =
    /built from Debian source (\S+) (\S+)$/.exec(sourceInfo ?? '') ??
    /built package from: (\S+) (\S+)$/.exec(sourceInfo ?? '') ??
    [];
  return name === undefined || version === undefined ? {} : { source: { source: name, version } };
}

function push(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
