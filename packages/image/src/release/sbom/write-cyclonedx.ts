import { seededUuid } from '@plinth/formats';
import { hashText } from '@plinth/host';
import type { Bill, BillComponent } from './bill.ts';

const types = { library: 'library', application: 'application', kernel: 'operating-system' } as const;

/** writeCycloneDx writes a bill as CycloneDX 1.6 JSON. The same bill always gives the same bytes. */
export function writeCycloneDx(bill: Bill): string {
  const image = `${bill.name}_${bill.version}_x86-64`;
  const components = bill.components.map(component);
  const dependencies = [
    { ref: image, dependsOn: bill.components.map(({ id }) => id) },
    ...bill.components.map(({ id, contains }) => ({ ref: id, dependsOn: contains })),
  ];
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${seededUuid(hashText(JSON.stringify([image, components, dependencies])))}`,
    version: 1,
    metadata: {
      timestamp: new Date(bill.epochSeconds * 1000).toISOString(),
      lifecycles: [{ phase: 'build' }],
      tools: { components: [{ type: 'application', name: 'plinth' }] },
      component: {
        'bom-ref': image,
        type: 'operating-system',
        name: bill.name,
        version: bill.version,
        description: bill.prettyName,
      },
    },
    components,
    dependencies,
  };
  return `${JSON.stringify(document, undefined, 1)}\n`;
}

function component(item: BillComponent) {
  const { source } = item;
  return {
    'bom-ref': item.id,
    type: types[item.kind],
    name: item.name,
    version: item.version,
    purl: item.purl,
    ...(item.sha256 === undefined ? {} : { hashes: sha256(item.sha256) }),
    ...(item.license === undefined ? {} : { licenses: [{ expression: item.license }] }),
    ...(source
      ? {
          properties: [
            { name: 'plinth:debian:source', value: source.name },
            { name: 'plinth:debian:source-version', value: source.version },
            { name: 'plinth:debian:source-purl', value: source.purl },
          ],
        }
      : {}),
    ...(item.files.length === 0
      ? {}
      : {
          components: item.files.map((file) => ({
            'bom-ref': `file:${file.path}`,
            type: 'file',
            name: file.path,
            hashes: [{ alg: 'SHA-1', content: file.sha1 }, ...sha256(file.sha256)],
          })),
        }),
  };
}

function sha256(content: string) {
  return [{ alg: 'SHA-256', content }];
}
