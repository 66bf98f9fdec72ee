import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { fingerprintOf } from '@plinth/api';
import { ioError } from '@plinth/host';
import { apiRoles, issueClientCertificate, loadKeys } from '@plinth/trust';
import { contextsPath, readContexts } from '../client/contexts-file.ts';
import { expectNewFile } from '../client/save-new-file.ts';
import { type KeyFolderOptions, keyFolder, readPassphrase } from '../flows/key-folder.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { usageError } from '../framework/usage-error.ts';
import { nextCommands, plainText } from '../output/blocks.ts';
import { renderBundle } from './bundle.ts';
import { changeLedger } from './ledger.ts';
import { withIssued } from './revoke.ts';

export interface IssueOptions extends KeyFolderOptions {
  /** "reader", "operator", "admin", or a role of a machine config. */
  readonly role: string;
  /** How long the certificate is valid, milliseconds. */
  readonly ttl: number;
  readonly output: string | undefined;
  readonly nodes: string | undefined;
}

/**
 * issueAccess makes a certificate for a person and a file with all it takes to use it. It is in the list of issued ones
 * before the file is there, so that nothing can be used that cannot be revoked.
 * @throws cli/usage, trust/…, access/…, host/io
 */
export async function issueAccess(
  name: string,
  options: IssueOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { env } = context;
  const path = resolve(options.output ?? `${name}.plinth-access`);
  await expectNewFile(path);
  const contexts = await wantedContexts(options.nodes, env);
  const { made, issued } = await issueCertificate(name, options, env);
  const { role, expiresAt } = issued;
  const text = renderBundle({ contexts, certificate: made.certificatePem, key: made.privateKeyPem });
  await writeFile(path, text, { mode: 0o600, flag: 'wx' }).catch((reason: unknown) => {
    throw ioError(reason, `write ${path}`);
  });
  const nodes = Object.keys(contexts);
  return {
    data: { ...issued, path, nodes },
    names: [path],
    view: [
      plainText(`${path}: ${role} for ${name} on ${nodes.length} nodes until ${expiresAt}. It is secret.`),
      nextCommands([
        [`plinth config add --bundle ${basename(path)}`, 'what the receiver runs'],
        [`plinth access revoke ${name}`, 'take it back'],
      ]),
    ],
  };
}

/**
 * issueCertificate makes a client certificate and its key. It is in the list of issued ones before anyone has it.
 * @throws trust/…, access/…, host/io
 */
export async function issueCertificate(
  name: string,
  options: KeyFolderOptions & Pick<IssueOptions, 'role' | 'ttl'>,
  env: CommandContext['env'],
) {
  const folder = keyFolder(options, env);
  const keys = await loadKeys(folder, await readPassphrase(options, env));
  const role = apiRoles.find((known) => known === `plinth:${options.role}`) ?? options.role;
  const now = new Date();
  const ttlSeconds = options.ttl / 1000;
  const made = await issueClientCertificate(keys.signers['api-authority'], { role, name, ttlSeconds, now });
  const fingerprint = fingerprintOf(new X509Certificate(made.certificatePem).raw);
  const expiresAt = made.notAfter.toISOString();
  const issued = { name, role, fingerprint, issuedAt: now.toISOString(), expiresAt };
  await changeLedger(folder, (ledger) => withIssued(ledger, issued, now));
  return { made, issued };
}

/** The nodes that the bundle is for: all that this client knows, or some of them. @throws cli/usage */
async function wantedContexts(list: string | undefined, env: CommandContext['env']) {
  const { contexts } = await readContexts(contextsPath(env));
  const names = list === undefined ? Object.keys(contexts) : list.split(',').map((name) => name.trim());
  return Object.fromEntries(
    names.map((name) => {
      const known = contexts[name];
      if (!known)
        throw usageError(`value of --nodes names "${name}", expected contexts: see "plinth config contexts"`);
      return [name, { endpoint: known.endpoint, fingerprint: known.fingerprint }];
    }),
  );
}
