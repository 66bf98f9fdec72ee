import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { configDir, writeFileAtomic } from '@plinth/host';
import { changeContexts, contextsPath } from '../client/contexts-file.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { plainText } from '../output/blocks.ts';
import { readBundle } from './bundle.ts';

/**
 * addBundle makes the nodes of an access bundle known here and keeps its certificate and key. A context that is known by
 * another certificate of the node is not replaced: its name would then mean another machine.
 * @throws access/bundle-invalid, cli/config-invalid, host/io
 */
export async function addBundle(path: string, env: CommandContext['env']): Promise<CommandResult> {
  const bundle = await readBundle(path);
  const holder = holderOf(bundle.certificate, path);
  const folder = join(configDir(env), 'clients');
  const files = { certificate: join(folder, `${holder.name}.crt`), key: join(folder, `${holder.name}.key`) };
  const names = Object.keys(bundle.contexts);
  await changeContexts(contextsPath(env), (before) => {
    const taken = names.find((name) => {
      const known = before.contexts[name];
      return known !== undefined && known.fingerprint !== bundle.contexts[name]?.fingerprint;
    });
    if (taken !== undefined) {
      throw new PlinthError(
        'access/bundle-invalid',
        `Cannot add ${path}: context "${taken}" is another node here, expected a new name`,
        { hint: `Run "plinth config remove ${taken}" first, if the node was made anew.` },
      );
    }
    const added = Object.entries(bundle.contexts).map(([name, node]) => [name, { ...node, ...files }]);
    const contexts = { ...before.contexts, ...Object.fromEntries(added) };
    const current = before.current ?? names[0];
    return current === undefined ? { contexts } : { current, contexts };
  });
  await writeFileAtomic(files.key, bundle.key, 0o600);
  await writeFileAtomic(files.certificate, bundle.certificate);
  return {
    data: { ...holder, contexts: names, ...files },
    names,
    view: [
      plainText(
        `${names.join(', ')}: known, as ${holder.name} until ${holder.expiresAt}. Delete ${path} now.`,
      ),
    ],
  };
}

/** The name goes into file names, so it must be one. */
function holderOf(pem: string, path: string) {
  try {
    const { subject, validToDate } = new X509Certificate(pem);
    const [, name] = /(?:^|\n)CN=([A-Za-z0-9][A-Za-z0-9@._-]{0,63})(?:\n|$)/.exec(subject) ?? [];
    if (name !== undefined) return { name, expiresAt: validToDate.toISOString() };
  } catch {
    // said below
  }
  throw new PlinthError('access/bundle-invalid', `Cannot use ${path}: its certificate has no usable name`);
}
