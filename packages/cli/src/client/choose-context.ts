import { closest, PlinthError } from '@plinth/base';
import type { ClientContext, ContextsFile } from './contexts-file.ts';

/**
 * chooseContext decides which node is meant: the flag, else `$PLINTH_CONTEXT`, else the current one.
 * @throws cli/context-missing
 */
export function chooseContext(
  file: ContextsFile,
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): { readonly name: string; readonly context: ClientContext } {
  const name = flag ?? (env['PLINTH_CONTEXT'] || file.current);
  if (name === undefined) {
    throw new PlinthError('cli/context-missing', 'Cannot choose a node: no context is current, expected one');
  }
  const context = file.contexts[name];
  if (context) return { name, context };
  const meant = closest(name, Object.keys(file.contexts));
  throw new PlinthError(
    'cli/context-missing',
    `Cannot use context "${name}": it is not in the file, expected one of ${Object.keys(file.contexts).join(', ') || 'none'}`,
    meant === undefined ? {} : { hint: `Did you mean ${meant}?` },
  );
}
