import {
  allKinds,
  configJsonSchema,
  configLimits,
  describeEffect,
  describeFields,
  type Effect,
  type FieldDescription,
  legacyDocuments,
} from '@plinth/config';
import { markdownTable, page } from './page.ts';

const counts = {
  one: 'Exactly one document.',
  'at-most-one': 'At most one document.',
  many: 'Any number of documents, told apart by `name`.',
} as const;

/** machineConfigPage documents every kind of the machine config from its schema. */
export function machineConfigPage(): string {
  const old = legacyDocuments.map(({ kind }) => `\`${kind}\``).join(', ');
  return page(
    'Machine config',
    'packages/config/src/kinds',
    'What a node is told, as a stream of YAML documents separated by `---`. Each document has `apiVersion: plinth.dev/v1alpha1`, a `kind`, and the fields below. JSON is YAML too. The order of documents, and of entries that have a key of their own (a MAC address, a name), means nothing.',
    'A field exists because it takes effect on the node. A field that is unknown, or that could not take effect, is an error with its line, column and path; nothing is left out in silence.',
    '```\nplinth config validate node.yaml     # every problem at once, nothing is contacted\nplinth config render node.yaml       # the files a node makes of it\nplinth config explain network.bonds  # this page, for one key\nplinth config schema > schema.json   # for editors\n```',
    'An editor with a YAML language server checks and completes a file that begins with `# yaml-language-server: $schema=schema.json`; the same schema is in [machine-config.schema.json](machine-config.schema.json). It knows fields, types and ranges; what one field says of another is checked by `plinth config validate` and by the node.',
    `Limits: ${configLimits.bytes / 1024} KiB, ${configLimits.documents} documents, ${configLimits.depth} levels, ${configLimits.tokens} tokens of YAML. Anchors without aliases are read; aliases, tags, keys that are no texts and keys that stand twice are refused.`,
    '## Compatibility',
    [
      '- A config that a release accepts is accepted, with the same meaning, by every later release that reads its `apiVersion`. New fields are optional, and their absence means what it meant before.',
      '- A field that goes is read for two minor releases after the one that says so, and moved to its new place by `plinth config migrate`.',
      '- A release reads the `apiVersion` before its own for a year. `v1alpha1` may be followed by a version that drops fields; it is not dropped itself before that year is over.',
      '- An older release refuses a field that it does not know, rather than leave it out. What is written (`plinth config migrate`) holds no field at its default, so a config that uses no new field is the same text for both.',
      `- Older forms that are still read: ${old}, the single document of 0.1 with \`metadata.name\`, \`api\` and \`network\`.`,
    ].join('\n'),
    ...allKinds.flatMap((kind) => [
      `## ${kind.kind}`,
      `${kind.summary} ${counts[kind.count]}`,
      ...(kind.notes ?? []),
      `\`\`\`yaml\n${kind.example}\`\`\``,
      markdownTable(
        ['Field', 'Type', 'Default', 'What it is', 'Takes effect'],
        describeFields(kind).map(row),
      ),
    ]),
  );
}

/** machineConfigSchema is the JSON Schema as a file. */
export function machineConfigSchema(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

function row(field: FieldDescription) {
  const { path, type, required, default: initial, description, secret, effect, effectWhenNew } = field;
  return [
    `\`${path}\``,
    type,
    required ? 'required' : (initial ?? ''),
    secret ? `${description} Secret: never shown.` : description,
    [shortEffect(effect), ...(effectWhenNew ? [`when new: ${shortEffect(effectWhenNew)}`] : [])].join('; '),
  ];
}

/** Why a reboot is needed fills no cell of a table. */
function shortEffect(effect: Effect): string {
  return effect.kind === 'reboot' ? 'at the next boot' : describeEffect(effect);
}
