import type { Diagnostic } from '@plinth/base';
import { z } from 'zod';
import { noteOf, unwrap } from '../framework/notes.ts';
import { allKinds } from '../machine-config.ts';

/** The names of all fields that are secrets, wherever they stand. */
const NAMES = [...new Set(allKinds.flatMap(({ schema }) => secretNames(schema)))];

/** A secret field at its name; where there are none nothing fits. */
const SECRET = new RegExp(`(?:^|[^\\w-])(?:${[...NAMES, '\\b\\B'].join('|')})["']?\\s*:`, 'i');

function secretNames(schema: z.core.$ZodType): string[] {
  const at = unwrap(schema);
  if (at instanceof z.ZodArray) return secretNames(at.element);
  if (at instanceof z.ZodRecord) return secretNames(at.valueType);
  if (!(at instanceof z.ZodObject)) return [];
  return Object.entries(at.shape).flatMap(([name, field]: [string, z.core.$ZodType]) =>
    noteOf(field).secret ? [name] : secretNames(field),
  );
}

/** mayShowSecret tells whether a secret field stands on the line of an offset, as far as its text can tell. */
export function mayShowSecret(text: string, offset: number): boolean {
  const start = text.lastIndexOf('\n', Math.max(0, offset - 1)) + 1;
  const end = text.indexOf('\n', offset);
  return SECRET.test(text.slice(start, end < 0 ? text.length : end));
}

/** hideSecrets marks the problems whose line must not be shown beside them. */
export function hideSecrets(text: string, diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const lines = text.split('\n');
  return diagnostics.map((each) =>
    each.span && SECRET.test(lines[each.span.line - 1] ?? '') ? { ...each, secret: true } : each,
  );
}
