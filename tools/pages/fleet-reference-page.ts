import { FLEET_GROUP, FLEET_VERSION, fleetKinds, makeDefinitions, PHASES } from '@plinth/fleet';
import { markdownTable, page } from './page.ts';

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly required?: readonly string[];
  readonly 'x-kubernetes-int-or-string'?: true;
  readonly 'x-kubernetes-validations'?: readonly { readonly message: string }[];
}

/** docs/reference/fleet.md: every field of every kind, from the definitions that the API server has. */
export function fleetReferencePage(): string {
  const definitions = makeDefinitions() as unknown as readonly {
    readonly spec: {
      readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: Schema } }];
    };
  }[];
  const kinds = fleetKinds.map(({ kind, shortName, description }, index) => {
    const whole = definitions[index]?.spec.versions[0].schema.openAPIV3Schema.properties ?? {};
    return [
      `## ${kind}`,
      `${description} Short name: \`${shortName}\`.`,
      ...part('spec', whole['spec']),
      ...part('status', whole['status']),
    ].join('\n\n');
  });
  return page(
    'Objects of the fleet operator',
    'packages/fleet/src',
    `API group \`${FLEET_GROUP}/${FLEET_VERSION}\`; all kinds belong to the cluster. \`kubectl explain updatepolicy.spec\` tells the same.`,
    ...kinds,
    '## Phases of a node',
    markdownTable(
      ['Phase', 'Slot', 'What is done', 'What it waits for', 'Too late'],
      Object.entries(PHASES).map(([phase, { holdsSlot, does, awaits, onDeadline }]) => [
        phase,
        holdsSlot ? 'yes' : '',
        does,
        awaits,
        onDeadline ?? '',
      ]),
    ),
  );
}

function part(name: string, schema: Schema | undefined): readonly string[] {
  if (schema === undefined) return [];
  const rows: string[][] = [];
  const rules: string[] = [];
  walk(name, schema, '', rows, rules);
  return [
    markdownTable(['Field', 'Type', 'Default', 'Meaning'], rows.slice(1)),
    ...(rules.length > 0
      ? [`What the API server refuses, in its words:\n\n${rules.map((rule) => `- ${rule}`).join('\n')}`]
      : []),
  ];
}

function walk(path: string, schema: Schema, mark: string, rows: string[][], rules: string[]): void {
  rows.push([`\`${path}\`${mark}`, typeOf(schema), defaultOf(schema), schema.description ?? '']);
  for (const { message } of schema['x-kubernetes-validations'] ?? []) rules.push(message);
  const inner = schema.items ?? schema;
  const below = schema.items ? `${path}[]` : path;
  for (const { message } of schema.items?.['x-kubernetes-validations'] ?? []) rules.push(message);
  for (const [field, child] of Object.entries(inner.properties ?? {}))
    walk(`${below}.${field}`, child, inner.required?.includes(field) ? ' (required)' : '', rows, rules);
}

function typeOf(schema: Schema): string {
  if (schema['x-kubernetes-int-or-string']) return 'number or share';
  if (schema.enum) return schema.enum.map((word) => `\`${word}\``).join(', ');
  if (schema.items) return `list of ${typeOf(schema.items)}`;
  if (schema.additionalProperties) return `map of ${typeOf(schema.additionalProperties)}`;
  return schema.type === 'object' ? 'object' : (schema.type ?? '');
}

/** Defaults of objects are those of their fields. */
function defaultOf(schema: Schema): string {
  const { default: value, items } = schema;
  if (value === undefined || value === '' || schema.type === 'object') return '';
  return items && Array.isArray(value) && value.length === 0 ? '' : `\`${JSON.stringify(value)}\``;
}
