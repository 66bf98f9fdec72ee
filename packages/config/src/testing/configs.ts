import fc from 'fast-check';
import { EXAMPLE_CERTIFICATE } from '../framework/example-certificate.ts';
import { API_VERSION, allKinds, type MachineConfig } from '../machine-config.ts';
import { parseConfig } from '../parse/parse-config.ts';
import { links } from './networks.ts';

/** parsed reads a config that has to be right. */
export function parsed(text: string): MachineConfig {
  const result = parseConfig(Buffer.from(text), 'config.yaml');
  if (!result.ok)
    throw new Error(result.diagnostics.map(({ message, path }) => `${path} ${message}`).join('\n'));
  return result.value;
}

/** exampleConfig is the examples of all kinds together. */
export function exampleConfig(): MachineConfig {
  return parsed(allKinds.map(({ example }) => example).join('---\n'));
}

/** The text of documents given as values; JSON is YAML. */
export function documents(...values: readonly object[]): string {
  return values.map((value) => JSON.stringify({ apiVersion: API_VERSION, ...value })).join('\n---\n');
}

export const MACHINE = { kind: 'Machine', name: 'node-1' };
export const ACCESS = { kind: 'ApiAccess', clientAuthorities: [EXAMPLE_CERTIFICATE] };

const some = { requiredKeys: [] as [] };
const networkDocument = fc
  .record(
    {
      links,
      dns: fc.record({ servers: fc.array(fc.ipV4(), { maxLength: 3 }) }, some),
      ntp: fc.record({ servers: fc.array(fc.ipV4(), { minLength: 1, maxLength: 3 }) }),
      hosts: fc.uniqueArray(fc.record({ address: fc.ipV4(), names: fc.constant(['a.example.com']) }), {
        selector: (each) => each.address,
        maxLength: 3,
      }),
    },
    some,
  )
  .map(({ links: drawn, ...fields }) => ({ kind: 'Network', ...drawn, ...fields }));

const DRAWN = new Set(['Machine', 'ApiAccess', 'Network']);

/** Documents of other kinds than those drawn above, taken from their examples or left out. */
const others = fc.subarray(allKinds.filter(({ kind }) => !DRAWN.has(kind)).map(({ example }) => example));

/** Any config. */
export const configs: fc.Arbitrary<MachineConfig> = fc
  .tuple(fc.constantFrom('a', 'b'), fc.option(networkDocument, { nil: undefined }), others)
  .map(([name, network, examples]) => {
    const own = documents({ ...MACHINE, name }, ACCESS, ...(network ? [network] : []));
    return parsed([own, ...examples].join('\n---\n'));
  });
