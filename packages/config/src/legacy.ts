import { z } from 'zod';
import { apiAccessKind } from './kinds/api-access/kind.ts';
import { hostName } from './kinds/machine/kind.ts';
import { networkKind } from './kinds/network/kind.ts';

/** A form of document that an older release wrote, and what it says in the kinds of today. */
export interface LegacyDocument {
  readonly kind: string;
  readonly schema: z.ZodType;
  /** The values by property of MachineConfig, and the field of the old document that each stood in. */
  split(value: unknown): readonly { readonly property: string; readonly value: unknown }[];
}

/** The single document of 0.1: identity, access and network in one. */
const machineConfig = z.strictObject({
  metadata: z.strictObject({ name: hostName }),
  api: apiAccessKind.schema,
  network: networkKind.schema.optional(),
});

/** Every older form that is still read; the promise is in docs/reference/machine-config.md. */
export const legacyDocuments: readonly LegacyDocument[] = [
  {
    kind: 'MachineConfig',
    schema: machineConfig,
    split(value) {
      const { metadata, api, network } = value as z.infer<typeof machineConfig>;
      return [
        { property: 'machine', value: { name: metadata.name } },
        { property: 'api', value: api },
        ...(network === undefined ? [] : [{ property: 'network', value: network }]),
      ];
    },
  },
];
