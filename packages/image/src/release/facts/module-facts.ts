import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseBuiltinModules, parseDeniedModules } from '@plinth/advisory';
import { ioError } from '@plinth/host';
import { compareText } from '../../compare-text.ts';
import type { BuiltTree } from '../../types.ts';
import type { ReleaseFacts } from './release-facts.ts';

const BUILTIN = /^\/usr\/lib\/modules\/[^/]+\/modules\.builtin$/;
/** Folders of modprobe.d(5) in the signed root; what else is read at run time is empty there. */
const MODPROBE = /^\/(?:etc|usr\/lib)\/modprobe\.d\/[^/]+\.conf$/;

/**
 * readModuleFacts reads which modules are part of the kernel itself, and which modprobe.d keeps out. Undefined when the tree
 * does not tell what is built in: without that, a module that is not there says nothing. @throws host/io
 */
export async function readModuleFacts(tree: BuiltTree): Promise<ReleaseFacts['kernelModules']> {
  const texts = (pattern: RegExp) =>
    Promise.all(
      tree.entries
        .filter(({ path, kind }) => kind === 'file' && pattern.test(path))
        .map(({ path }) =>
          readFile(join(tree.rootDir, path), 'utf8').catch((reason: unknown) => {
            throw ioError(reason, `read ${path}`);
          }),
        ),
    );
  const [builtin, modprobe] = [await texts(BUILTIN), await texts(MODPROBE)];
  if (builtin.length === 0) return undefined;
  return {
    builtin: unique(builtin.flatMap(parseBuiltinModules)),
    denied: unique(modprobe.flatMap(parseDeniedModules)),
  };
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].sort(compareText);
}
