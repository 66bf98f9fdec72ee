import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { connectNode, type GetLoginResponse, keyBindingOf, type NodeClient } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { configDir, writeFileAtomic } from '@plinth/host';
import { chooseContext } from '../client/choose-context.ts';
import { splitEndpoint } from '../client/connect-context.ts';
import {
  type ContextsFile,
  changeContexts,
  contextsPath,
  parseContexts,
  readContexts,
} from '../client/contexts-file.ts';
import { agree } from '../framework/consent.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { usageError } from '../framework/usage-error.ts';
import { plainText } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { formatDuration } from '../output/units.ts';
import { runDeviceFlow } from './device-flow.ts';

export interface LoginOptions {
  /** For a node that is not a context yet. */
  readonly endpoint: string | undefined;
  readonly fingerprint: string | undefined;
  /** How long the certificates shall be valid at most, milliseconds; a node may give less. */
  readonly ttl: number;
  readonly yes: boolean;
  /** Seconds. */
  readonly timeout: number;
}

/** A node to log in to. */
interface Place {
  readonly name: string;
  readonly endpoint: string;
  readonly fingerprint: string;
}

/** What a node gave. */
interface Session {
  readonly place: Place;
  readonly certificate: string;
  readonly name: string;
  readonly role: string;
  readonly expiresAt: string;
}

/**
 * logIn has a person log in once, at the issuer that the nodes name, and gets a certificate of each node: a node accepts its
 * own only. The key is made here and is for all of them. A context that had other credentials is changed after a question.
 * @throws cli/usage, cli/declined, cli/context-missing, access/…, api/…
 */
export async function logIn(
  names: readonly string[],
  options: LoginOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { env } = context;
  const before = await readContexts(contextsPath(env));
  const places = placesOf(names, options, before, env);
  const folder = join(configDir(env), 'sessions');
  await agreeToReplace(places, before, folder, options, context);
  const issuers = await Promise.all(
    places.map((place) => onNode(place, options, (node) => node.login.get(), context)),
  );
  const issuer = sameIssuer(places, issuers);
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const idToken = await runDeviceFlow({
    ...{ issuer: issuer.issuer, clientId: issuer.clientId, caPem: issuer.certificateAuthority },
    ...{ scopes: issuer.scopes, nonce: keyBindingOf(publicKey), signal: context.signal },
    show: ({ url, userCode, urlWithCode, expiresInSeconds }) =>
      context.say(
        `Open ${urlWithCode ?? url}\nand enter the code ${userCode} within ${formatDuration(expiresInSeconds * 1000)}.`,
      ),
  });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const ttl = { seconds: BigInt(Math.round(options.ttl / 1000)) };
  const sessions: Session[] = [];
  for (const place of places) {
    const request = { idToken, publicKey: spki, ttl };
    const given = await onNode(place, options, (node) => node.login.exchange(request), context);
    const { certificate, name, role, notAfter } = given;
    const expiresAt = new Date(Number(notAfter?.seconds ?? 0n) * 1000).toISOString();
    sessions.push({ place, certificate, name: printable(name), role: printable(role), expiresAt });
  }
  await keep(sessions, String(privateKey.export({ type: 'pkcs8', format: 'pem' })), folder, env);
  return {
    data: sessions.map(({ place, name, role, expiresAt }) => ({
      context: place.name,
      name,
      role,
      expiresAt,
    })),
    names: sessions.map(({ place }) => place.name),
    view: sessions.map(({ place, name, role, expiresAt }) =>
      plainText(
        `${place.name}: ${context.style.good(name)} as ${role.replace('plinth:', '')} until ${expiresAt}.`,
      ),
    ),
  };
}

function placesOf(
  names: readonly string[],
  { endpoint, fingerprint }: LoginOptions,
  file: ContextsFile,
  env: CommandContext['env'],
): readonly Place[] {
  if (endpoint !== undefined || fingerprint !== undefined) {
    const [name] = names;
    if (name === undefined || names.length > 1 || endpoint === undefined || fingerprint === undefined)
      throw usageError('a new node needs one NAME, --endpoint and --fingerprint');
    const known = file.contexts[name];
    if (known && known.fingerprint !== fingerprint)
      throw usageError(`context "${name}" is another node, expected a new name`);
    return [{ name, endpoint, fingerprint }];
  }
  const chosen = names.length > 0 ? [...new Set(names)] : [undefined];
  return chosen.map((flag) => {
    const { name, context } = chooseContext(file, flag, env);
    return { name, endpoint: context.endpoint, fingerprint: context.fingerprint };
  });
}

/** Credentials that somebody was handed are not put aside without a word. */
async function agreeToReplace(
  places: readonly Place[],
  file: ContextsFile,
  folder: string,
  { yes }: LoginOptions,
  context: CommandContext,
): Promise<void> {
  const others = places.filter(({ name }) => {
    const known = file.contexts[name];
    return known !== undefined && !known.certificate.startsWith(`${folder}/`);
  });
  if (others.length === 0) return;
  const list = others.map(({ name }) => name).join(', ');
  await agree(
    `Use ${list} with the login from now on? Their certificates stay where they are.`,
    yes,
    context,
  );
}

async function onNode<T>(
  { name, endpoint, fingerprint }: Place,
  { timeout }: LoginOptions,
  ask: (node: NodeClient) => Promise<T>,
  { signal }: CommandContext,
): Promise<T> {
  using node = connectNode({ ...splitEndpoint(endpoint), fingerprint, timeoutMs: timeout * 1000 });
  const hangUp = () => node.close();
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    return await ask(node);
  } catch (reason) {
    const code = reason instanceof PlinthError ? reason.code : '';
    if (code !== 'api/forbidden' && code !== 'api/unsupported') throw reason;
    throw new PlinthError('access/login-failed', `Cannot log in to ${name}: its config names no issuer`, {
      ...{ cause: reason, hint: 'Add "oidc" to ApiAccess of the node, or ask for "plinth access issue".' },
    });
  } finally {
    signal.removeEventListener('abort', hangUp);
  }
}

/** One login is one issuer; nodes of several fleets take several. */
function sameIssuer(places: readonly Place[], issuers: readonly GetLoginResponse[]): GetLoginResponse {
  const [first] = issuers;
  if (!first) throw usageError('no node is named, expected one');
  const key = ({ issuer, clientId, certificateAuthority }: GetLoginResponse) =>
    JSON.stringify([issuer, clientId, certificateAuthority]);
  const other = issuers.findIndex((each) => key(each) !== key(first));
  if (other >= 0)
    throw usageError(
      `${places[other]?.name} names another issuer than ${places[0]?.name}, expected one login for each`,
    );
  // All that any of the nodes looks at has to be in the one token.
  return { ...first, scopes: [...new Set(issuers.flatMap(({ scopes }) => scopes))] };
}

async function keep(
  sessions: readonly Session[],
  keyPem: string,
  folder: string,
  env: CommandContext['env'],
): Promise<void> {
  const files = (name: string) => ({
    certificate: join(folder, `${name}.crt`),
    key: join(folder, `${name}.key`),
  });
  const path = contextsPath(env);
  for (const { place, certificate } of sessions) {
    await writeFileAtomic(files(place.name).key, keyPem, 0o600);
    await writeFileAtomic(files(place.name).certificate, certificate);
  }
  await changeContexts(path, (before) => {
    const changed = sessions.map(({ place: { name, endpoint, fingerprint } }) => [
      name,
      { endpoint, fingerprint, ...files(name) },
    ]);
    const contexts = { ...before.contexts, ...Object.fromEntries(changed) };
    const current = before.current ?? sessions[0]?.place.name;
    // The same checks as for a file written by hand.
    return parseContexts(JSON.stringify({ ...(current !== undefined && { current }), contexts }), path);
  });
}
