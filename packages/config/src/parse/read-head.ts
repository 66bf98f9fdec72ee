import { closest, type Diagnostic, spanAt, type TextSource } from '@plinth/base';
import { type Document, isMap, isScalar, type Scalar } from 'yaml';
import { legacyDocuments } from '../legacy.ts';
import { API_VERSION, allKinds } from '../machine-config.ts';

/** What a document says it is. */
type Head =
  | { readonly ok: true; readonly kind: string; readonly at: readonly [start: number, end: number] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

const KINDS = allKinds.map(({ kind }) => kind);
const KNOWN = [...KINDS, ...legacyDocuments.map(({ kind }) => kind)];

/** readHead reads apiVersion and kind, by which the rest of a document is understood. */
export function readHead(document: Document, source: TextSource): Head {
  const problem = (message: string, at: readonly [number, number], hint?: string): Diagnostic => ({
    code: source.code,
    severity: 'error',
    message: `Cannot read ${source.file}: ${message}`,
    span: spanAt(source, ...at),
    ...(hint === undefined ? {} : { hint }),
  });
  const whole = rangeOf(document.contents);
  if (!isMap(document.contents))
    return {
      ok: false,
      diagnostics: [problem('a document that is no map, expected apiVersion and kind', whole)],
    };
  const { items } = document.contents;
  const keys = items.map(({ key }) => key).filter((key): key is Scalar<string> => isScalar(key));
  const diagnostics: Diagnostic[] = [];
  const read = (name: string, expected: string, accepts: (value: unknown) => boolean, known: string[]) => {
    const value = document.get(name, true);
    if (value === undefined) {
      const meant = keys.find((key) => closest(key.value, [name]) !== undefined);
      diagnostics.push(
        meant
          ? problem(`unknown key "${meant.value}"`, rangeOf(meant), `did you mean "${name}"?`)
          : problem(`no ${name}, expected ${expected}`, whole),
      );
    } else if (!isScalar(value) || !accepts(value.value)) {
      const word = isScalar(value) ? String(value.value) : '';
      const near = closest(word, known);
      const hint = near === undefined ? undefined : `did you mean "${near}"?`;
      diagnostics.push(problem(`${name} is "${word}", expected ${expected}`, rangeOf(value), hint));
    }
    return value;
  };
  read('apiVersion', API_VERSION, (value) => value === API_VERSION, [API_VERSION]);
  const kind = read(
    'kind',
    `one of ${KINDS.join(', ')}`,
    (value) => typeof value === 'string' && KNOWN.includes(value),
    KINDS,
  );
  if (diagnostics.length > 0 || !isScalar(kind)) return { ok: false, diagnostics };
  return { ok: true, kind: String(kind.value), at: rangeOf(kind) };
}

function rangeOf(node: unknown): readonly [start: number, end: number] {
  const range = (node as { readonly range?: readonly number[] | null } | null)?.range;
  return [range?.[0] ?? 0, range?.[1] ?? 0];
}
