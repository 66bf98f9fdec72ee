import { closest, PlinthError } from '@plinth/base';
import type { Kind } from '../framework/kind.ts';
import { allKinds } from '../machine-config.ts';
import { describeFields, type FieldDescription } from './describe-fields.ts';

/** What is known of a key: a kind with all its fields, or a field with those within it. */
export interface Explanation {
  readonly kind: Kind;
  /** Absent: the key is the kind itself. */
  readonly field?: FieldDescription;
  readonly fields: readonly FieldDescription[];
}

/**
 * explainKey finds what a key means. A key is written as in a plan or a diagnostic, or with the name of the kind
 * instead of its property: "network.interfaces.mtu", "network.interfaces[0].mtu", "Network.interfaces".
 * @throws config/unknown-key
 */
export function explainKey(key: string): Explanation {
  const wanted = plain(key);
  const known: [string, Explanation][] = allKinds.flatMap((kind) => {
    const fields = describeFields(kind);
    const names = [kind.property.toLowerCase(), kind.kind.toLowerCase()];
    return names.flatMap((name): [string, Explanation][] => [
      [name, { kind, fields }],
      ...fields.map((field): [string, Explanation] => [
        plain(field.path).replace(kind.property.toLowerCase(), name),
        {
          kind,
          field,
          fields: fields.filter(({ path }) => path !== field.path && isWithin(path, field.path)),
        },
      ]),
    ]);
  });
  const found = known.find(([path]) => path === wanted);
  if (found) return found[1];
  const meant = closest(
    wanted,
    known.map(([path]) => path),
  );
  throw new PlinthError(
    'config/unknown-key',
    `Cannot explain "${key}": no such key, expected one of "plinth config explain"`,
    meant === undefined ? {} : { hint: `Did you mean ${meant}?` },
  );
}

function isWithin(path: string, field: string): boolean {
  return path.startsWith(`${field}.`) || path.startsWith(`${field}[`);
}

/** Without the entries of lists, and in lower case: a reader need not know how a name is written. */
function plain(key: string): string {
  return key.replaceAll(/\[[^\]]*\]/g, '').toLowerCase();
}
