import type { CommandContext } from '../framework/context.ts';
import { compileComponents } from './compile-components.ts';
import { prepareRelease } from './prepare-release.ts';

/**
 * prepareOutsiders compiles the suites of others (go/critest, go/conformance) and builds what they are held against. The tests
 * find all of it in the cache.
 * @throws what prepareRelease throws; go/…
 */
export async function prepareOutsiders(context: CommandContext): Promise<Record<string, string>> {
  const environment = await prepareRelease(context);
  await context.progress.step('Compile the suites', (step) =>
    compileComponents({ frozen: false }, context)(['critest', 'conformance'], step),
  );
  return environment;
}
