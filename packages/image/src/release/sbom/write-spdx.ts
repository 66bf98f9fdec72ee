import { createHash } from 'node:crypto';
import { hashText } from '@plinth/host';
import { compareText } from '../../compare-text.ts';
import type { Bill, BillComponent, BillFile } from './bill.ts';

const IMAGE_ID = 'SPDXRef-Image';

/**
 * writeSpdx writes a bill as SPDX 2.3 JSON. Licences are stated where a part states its own and NOASSERTION
 * elsewhere: a name that is not known for certain is not guessed. The same bill always gives the same bytes.
 */
export function writeSpdx(bill: Bill): string {
  const image = `${bill.name}_${bill.version}_x86-64`;
  const packages = [imagePackage(bill), ...bill.components.map(spdxPackage)];
  const files = bill.components.flatMap(({ files: own }) => own.map(spdxFile));
  const relationships = [
    relationship('SPDXRef-DOCUMENT', 'DESCRIBES', IMAGE_ID),
    ...bill.components.flatMap((component) => [
      relationship(IMAGE_ID, 'CONTAINS', spdxId(component.id)),
      ...component.files.map((file) => relationship(spdxId(component.id), 'CONTAINS', fileId(file))),
      ...component.contains.map((id) => relationship(spdxId(component.id), 'STATIC_LINK', spdxId(id))),
    ]),
  ];
  const content = { packages, files, relationships };
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: image,
    // Unique by content, and the same for the same content.
    documentNamespace: `https://plinth.dev/spdx/${image}-${hashText(JSON.stringify(content)).slice(0, 32)}`,
    creationInfo: {
      created: spdxTime(bill.epochSeconds),
      creators: ['Organization: Plinth', 'Tool: plinth'],
    },
    ...content,
  };
  return `${JSON.stringify(document, undefined, 1)}\n`;
}

const unstated = {
  licenseConcluded: 'NOASSERTION',
  copyrightText: 'NOASSERTION',
} as const;

function imagePackage(bill: Bill) {
  return {
    SPDXID: IMAGE_ID,
    name: bill.name,
    versionInfo: bill.version,
    summary: bill.prettyName,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseDeclared: 'NOASSERTION',
    primaryPackagePurpose: 'OPERATING-SYSTEM',
    ...unstated,
  };
}

const purposes = { library: 'LIBRARY', application: 'APPLICATION', kernel: 'OPERATING-SYSTEM' } as const;

function spdxPackage(component: BillComponent) {
  const { source, files } = component;
  return {
    SPDXID: spdxId(component.id),
    name: component.name,
    versionInfo: component.version,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: files.length > 0,
    ...(files.length > 0 ? { packageVerificationCode: verificationCode(files) } : {}),
    ...(component.sha256 === undefined
      ? {}
      : { checksums: [{ algorithm: 'SHA256', checksumValue: component.sha256 }] }),
    ...(source ? { sourceInfo: `built from Debian source ${source.name} ${source.version}` } : {}),
    licenseDeclared: component.license ?? 'NOASSERTION',
    primaryPackagePurpose: purposes[component.kind],
    externalRefs: [component.purl, ...(source ? [source.purl] : [])].map((purl) => ({
      referenceCategory: 'PACKAGE-MANAGER',
      referenceType: 'purl',
      referenceLocator: purl,
    })),
    ...unstated,
  };
}

function spdxFile(file: BillFile) {
  return {
    SPDXID: fileId(file),
    fileName: `.${file.path}`,
    checksums: [
      { algorithm: 'SHA1', checksumValue: file.sha1 },
      { algorithm: 'SHA256', checksumValue: file.sha256 },
    ],
    licenseInfoInFiles: ['NOASSERTION'],
    ...unstated,
  };
}

/** SPDX 2.3, 7.9: SHA-1 over the sorted SHA-1 digests of the package's files. */
function verificationCode(files: readonly BillFile[]) {
  const digests = files.map(({ sha1 }) => sha1).sort(compareText);
  return { packageVerificationCodeValue: createHash('sha1').update(digests.join('')).digest('hex') };
}

function relationship(from: string, type: 'DESCRIBES' | 'CONTAINS' | 'STATIC_LINK', to: string) {
  return { spdxElementId: from, relationshipType: type, relatedSpdxElement: to };
}

function spdxId(id: string): string {
  return `SPDXRef-Package-${id}`;
}

function fileId({ path }: BillFile): string {
  return `SPDXRef-File-${hashText(path).slice(0, 24)}`;
}

/** SPDX 2.3, 6.9: seconds, no fraction. */
function spdxTime(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().replace('.000Z', 'Z');
}
