import { initrdSpecSchema, osSpecSchema } from '@plinth/image';
import { type ZodType, z } from 'zod';
import { markdownTable, page } from './page.ts';

/** The part of a JSON Schema node that the page tells about. */
interface SchemaNode {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaNode[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** osSpecPage documents every field of os/plinth.yaml and os/initrd.yaml. */
export function osSpecPage(): string {
  return page(
    'What the operating system is',
    'packages/image/src/spec/os-spec.ts',
    'os/plinth.yaml says what the system is made of and why; os/initrd.yaml what its initrd carries. An unknown field is an error with its line and column. After a change of packages or suites run `plinth lock`.',
    ['## os/plinth.yaml', fieldsTable(osSpecSchema), '## os/initrd.yaml', fieldsTable(initrdSpecSchema)].join(
      '\n\n',
    ),
  );
}

function fieldsTable(schema: ZodType): string {
  const root: SchemaNode = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as SchemaNode;
  return markdownTable(['Field', 'Type', 'Needed', 'Meaning'], rowsOf(root, ''));
}

function rowsOf(node: SchemaNode, prefix: string): string[][] {
  return Object.entries(node.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const needed = node.required?.includes(name) ? 'yes' : 'no';
    const row = [`\`${path}\``, typeOf(field), needed, field.description ?? ''];
    const inner = field.properties ? rowsOf(field, `${path}.`) : rowsOf(itemOf(field), `${path}[].`);
    return [row, ...inner];
  });
}

function itemOf(field: SchemaNode): SchemaNode {
  const item = field.items ?? {};
  return item.properties ? item : (item.anyOf?.find((each) => each.properties) ?? {});
}

function typeOf(field: SchemaNode): string {
  if (field.enum) return field.enum.map((value) => `\`${String(value)}\``).join(' or ');
  if (field.type === 'array')
    return `list of ${field.items?.anyOf ? 'text or object' : (field.items?.type ?? 'values')}`;
  const range =
    field.maximum !== undefined && field.maximum < 1e9 ? `, ${field.minimum ?? 0} to ${field.maximum}` : '';
  return `${field.type ?? 'value'}${range}`;
}
