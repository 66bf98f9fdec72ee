import { bundleOperator, OPERATOR_FILES, OPERATOR_FLAGS } from '@plinth/fleet/build';
import { buildNodeImage, type NodeImageOptions } from '../flows/build-node-image.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';

/**
 * buildOperatorImage makes the container image of the fleet operator, with its libraries from the lock of the OS.
 * @throws fleet/bundle-failed, see buildNodeImage
 */
export async function buildOperatorImage(
  options: NodeImageOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const program = {
    what: 'the operator',
    bundle: bundleOperator,
    scriptsFolder: 'app',
    args: [...OPERATOR_FLAGS, `/app/${OPERATOR_FILES.main}`],
    lock: 'plinth',
    packageFiles: [],
    files: [],
    mountPoints: ['etc/plinth-fleet', 'var/run'],
    next: [[`plinth fleet install --image ${options.reference}`, 'run it']],
  } as const;
  return await buildNodeImage(program, options, context);
}
