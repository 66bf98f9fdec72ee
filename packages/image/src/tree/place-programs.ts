import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { exists } from '@plinth/host';
import type { BuiltGoComponent } from '../go/build-go-component.ts';
import type { OsSpec } from '../spec/os-spec.ts';
import { sourceOf } from '../spec/program-source.ts';
import { replaceFile } from './apply-tree.ts';

/** One compiled program and its place in the image. */
export interface PlacedProgram {
  readonly from: string;
  /** Absolute path in the image. */
  readonly path: string;
  /** The program on this machine. */
  readonly source: string;
}

/**
 * findPrograms looks up what os/plinth.yaml wants from go/ among the compiled components.
 * @throws image/spec-invalid for a program that its component does not have
 */
export function findPrograms(
  wanted: OsSpec['programs'],
  components: ReadonlyMap<string, BuiltGoComponent>,
): PlacedProgram[] {
  return wanted.map(({ from, path }) => {
    const { owner, program } = sourceOf(from);
    const programs = components.get(owner)?.programs;
    const source = programs?.get(program);
    if (source !== undefined) return { from, path, source };
    throw new PlinthError(
      'image/spec-invalid',
      `Cannot place ${from}: ${owner} has no such program, expected one of ${[...(programs?.keys() ?? [])].join(', ')}`,
    );
  });
}

/**
 * placePrograms puts the programs into the tree.
 * @throws image/file-conflict when a package ships a file at the place; host/io
 */
export async function placePrograms(root: string, programs: readonly PlacedProgram[]): Promise<void> {
  for (const { from, path, source } of programs) {
    const target = join(root, path);
    if (await exists(target)) {
      throw new PlinthError(
        'image/file-conflict',
        `Cannot assemble ${path}: a package ships it and os/plinth.yaml places ${from} there, expected one owner`,
      );
    }
    await replaceFile(target, await readFile(source), 0o755);
  }
}
