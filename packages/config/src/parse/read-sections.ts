import { checkData, type Diagnostic, type TextSource, unreachable } from '@plinth/base';
import type { Document } from 'yaml';
import type { Kind } from '../framework/kind.ts';
import { type LegacyDocument, legacyDocuments } from '../legacy.ts';
import { allKinds } from '../machine-config.ts';
import { readHead } from './read-head.ts';
import { textProblems } from './text-problems.ts';

/** One value of a kind, and where its document says its kind. */
export interface Section {
  readonly kind: Kind;
  readonly value: unknown;
  /** The text it stands in. */
  readonly source: TextSource;
  /** First offset, and the one after the last. */
  readonly at: readonly [start: number, end: number];
}

export interface ReadSections {
  readonly sections: readonly Section[];
  readonly diagnostics: readonly Diagnostic[];
}

/** readSections reads each document by the schema of its kind; an empty document says nothing. */
export function readSections(documents: readonly Document[], source: TextSource): ReadSections {
  const sections: Section[] = [];
  const diagnostics: Diagnostic[] = [];
  const counts = new Map<string, number>();
  for (const document of documents) {
    const problems = textProblems(document, source);
    if (problems.length > 0) {
      diagnostics.push(...problems);
      continue;
    }
    if (document.toJS() === null) continue;
    const head = readHead(document, source);
    if (!head.ok) {
      diagnostics.push(...head.diagnostics);
      continue;
    }
    const { apiVersion: _, kind: name, ...fields } = document.toJS() as Record<string, unknown>;
    const index = counts.get(head.kind) ?? 0;
    counts.set(head.kind, index + 1);
    const spec = specOf(head.kind);
    const read = checkData(fields, document, spec.schema, source, rootOf(spec, index));
    if (read.ok) sections.push(...sectionsOf(spec, read.value, source, head.at));
    else diagnostics.push(...read.diagnostics);
  }
  return { sections, diagnostics };
}

function specOf(name: string): Kind | LegacyDocument {
  return (
    [...allKinds, ...legacyDocuments].find(({ kind }) => kind === name) ??
    unreachable(`a head of unknown kind ${name}`)
  );
}

/** What paths in diagnostics start with, as the paths of a plan do. */
function rootOf(spec: Kind | LegacyDocument, index: number): string {
  if ('split' in spec) return '$';
  return spec.count === 'many' ? `${spec.property}[${index}]` : spec.property;
}

function sectionsOf(
  spec: Kind | LegacyDocument,
  value: unknown,
  source: TextSource,
  at: Section['at'],
): Section[] {
  if (!('split' in spec)) return [{ kind: spec, value, source, at }];
  return spec.split(value).map((part) => ({
    kind:
      allKinds.find(({ property }) => property === part.property) ??
      unreachable(`a document that is split into an unknown ${part.property}`),
    value: part.value,
    source,
    at,
  }));
}
