import type { ParsedDocument } from '@plinth/base';
import type { Kind } from '../framework/kind.ts';
import { allKinds, type MachineConfig, valuesOf } from '../machine-config.ts';
import { LIMITS } from './limits.ts';
import { nameOf, readStream, repeated, toConfig } from './parse-config.ts';

/**
 * mergeDocuments puts documents into a config, in the place of those of their kind, and of their name where a kind stands many
 * times; the others stay as they are. Limits and problems are those of parseConfig.
 * @param file name shown in diagnostics: where the documents come from
 */
export function mergeDocuments(
  config: MachineConfig,
  documents: Uint8Array,
  file: string,
): ParsedDocument<MachineConfig> {
  const { sections, diagnostics } = readStream(documents, file);
  const problems = [...diagnostics, ...repeated(sections)];
  if (problems.length > 0) return { ok: false, diagnostics: problems.slice(0, LIMITS.problems) };
  const isReplaced = (kind: Kind, value: unknown) =>
    sections.some(
      (given) => given.kind === kind && (kind.count !== 'many' || nameOf(given.value) === nameOf(value)),
    );
  const kept = allKinds.flatMap((kind) =>
    valuesOf(config, kind)
      .filter((value) => !isReplaced(kind, value))
      .map((value) => ({ kind, value })),
  );
  return { ok: true, value: toConfig([...kept, ...sections]) };
}
