import { PlinthError } from '@plinth/base';
import { mapParallel } from '@plinth/host';
import { loadKeys } from '@plinth/trust';
import { connectTo } from '../client/connect-context.ts';
import { contextsPath, readContexts } from '../client/contexts-file.ts';
import { asExitCode, exitOfNodes, failures } from '../client/merge-results.ts';
import { type KeyFolderOptions, keyFolder, readPassphrase } from '../flows/key-folder.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { plainText } from '../output/blocks.ts';
import { changeLedger, type Ledger, readLedger } from './ledger.ts';
import { signRevocations, withRevoked } from './revoke.ts';

const AT_ONCE = 32;

type Keys = Awaited<ReturnType<typeof loadKeys>>;

export interface PushOptions extends KeyFolderOptions {
  /** Seconds. */
  readonly timeout: number;
}

/** revokeAccess takes certificates back and tells every node this client knows. @throws access/…, trust/…, host/io */
export async function revokeAccess(
  what: string,
  reason: string,
  options: PushOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const folder = keyFolder(options, context.env);
  // The keys first: what cannot be signed must not be written down as revoked.
  const keys = await loadKeys(folder, await readPassphrase(options, context.env));
  const ledger = await changeLedger(folder, (now) => withRevoked(now, what, reason, new Date()));
  return push(ledger, keys, options, context);
}

/** pushRevocations tells every node this client knows again, for those that were off. @throws access/…, trust/…, host/io */
export async function pushRevocations(options: PushOptions, context: CommandContext): Promise<CommandResult> {
  const folder = keyFolder(options, context.env);
  const ledger = await readLedger(folder);
  if (ledger.version === 0)
    return { data: { version: 0, nodes: [] }, view: [plainText('Nothing was ever revoked.')] };
  return push(ledger, await loadKeys(folder, await readPassphrase(options, context.env)), options, context);
}

async function push(
  ledger: Ledger,
  keys: Keys,
  options: PushOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { env } = context;
  const list = await signRevocations(ledger, keys.signers['api-authority'], new Date());
  const { contexts } = await readContexts(contextsPath(env));
  const outcomes = await context.progress.step('Tell the nodes', () =>
    mapParallel(Object.entries(contexts), AT_ONCE, async ([node, one]) => {
      try {
        using client = await connectTo(one, options.timeout * 1000);
        const { persistent, endedConnections } = await client.access.putRevocations(list);
        return { node, persistent, endedConnections };
      } catch (reason) {
        return { node, error: PlinthError.from(reason, 'api/failed', `Cannot tell node ${node}`) };
      }
    }),
  );
  const bad = outcomes.flatMap((each) => (each.error ? [{ node: each.node, error: each.error }] : []));
  const good = outcomes.flatMap((each) => (each.error ? [] : [each]));
  const forgetful = good.filter(({ persistent }) => !persistent).map(({ node }) => node);
  const said = `List ${ledger.version} with ${ledger.revoked.length} entries is in force on ${good.length} of ${outcomes.length} nodes.`;
  return {
    data: {
      ...{ version: ledger.version, revoked: ledger.revoked },
      nodes: outcomes.map(({ node, error, ...rest }) =>
        error ? { node, error: error.code } : { node, ...rest },
      ),
    },
    view: [
      plainText(said),
      ...(forgetful.length > 0
        ? [plainText(`Until their next boot only, because /var cannot be written: ${forgetful.join(', ')}.`)]
        : []),
      ...failures(bad, context.style),
    ],
    exitCode: asExitCode(
      exitOfNodes(
        good.length,
        bad.map(({ error }) => error),
      ),
    ),
  };
}
