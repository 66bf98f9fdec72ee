import { X509Certificate } from 'node:crypto';
import { PlinthError } from '@plinth/base';
import {
  type InstallOptions,
  installManifests,
  monitoringManifests,
  NODE_ACCESS_SECRET,
  NODE_METHODS,
  renderManifests,
} from '@plinth/fleet';
import { applyObject, askKube, type KubeConnection, openKindMap } from '@plinth/kube';
import { z } from 'zod';
import { issueCertificate } from '../access/issue-access.ts';
import type { KeyFolderOptions } from '../flows/key-folder.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, nextCommands, plainText } from '../output/blocks.ts';
import { type ClusterOptions, withCluster } from './cluster-options.ts';

/** Under which name fields of objects are ours. */
const FIELD_MANAGER = 'plinth-fleet-install';
const DAY_MS = 24 * 3600 * 1000;

export interface InstallFleetOptions extends ClusterOptions, KeyFolderOptions {
  readonly image: string;
  readonly namespace: string;
  readonly replicas: number;
  readonly allowPodDeletion: boolean;
  readonly deleteMachines: boolean;
  /** Alerts and dashboard too, for clusters with the Prometheus operator. */
  readonly monitoring: boolean;
  /** Only write the manifests. */
  readonly print: boolean;
  /** How long the certificate for the nodes is valid, milliseconds. */
  readonly ttl: number;
  readonly role: string;
}

/**
 * installFleet brings the operator into a cluster, or to another image: kinds, rights, admission policies, Deployment, and its
 * certificate for the nodes. All of it can be done again at any time.
 * @throws kube/…, trust/…, access/…, host/io
 */
export async function installFleet(
  options: InstallFleetOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { image, namespace, replicas } = options;
  const install: InstallOptions = {
    image,
    namespace,
    replicas,
    mayDeletePods: options.allowPodDeletion,
    mayDeleteMachines: options.deleteMachines,
  };
  const operator = installManifests(install);
  const monitoring = options.monitoring ? monitoringManifests(namespace) : [];
  const objects = [...operator, ...monitoring];
  if (options.print) return { data: objects, view: [plainText(renderManifests(objects))] };
  return withCluster(options, context, async (connection) => {
    const kinds = openKindMap(connection);
    const apply = async (all: readonly object[]) => {
      for (const object of all) await applyObject(connection, kinds, object, FIELD_MANAGER, context.signal);
    };
    const { host } = connection.server;
    await context.progress.step(`Apply ${operator.length} objects to ${host}`, () => apply(operator));
    const expiresAt = await giveAccess(options, connection, context);
    // Last: a cluster without the Prometheus operator does not have its kinds, and all else is there by then.
    await apply(monitoring).catch((reason: unknown) => {
      if (!(reason instanceof PlinthError) || reason.code !== 'kube/not-found') throw reason;
      throw new PlinthError(reason.code, `Cannot add monitoring to ${host}: it has no Prometheus operator`, {
        cause: reason,
        hint: 'The operator itself is installed; leave --monitoring out.',
      });
    });
    const data = { namespace, image, replicas, objects: objects.length, nodeAccessExpiresAt: expiresAt };
    return {
      data,
      view: [
        facts([
          ['cluster', host],
          ['operator', `${replicas} × ${image} in ${namespace}`],
          ['comes to nodes', `as ${options.role} until ${expiresAt.slice(0, 10)}; install again before`],
        ]),
        ...(BUILT_IN.includes(options.role) ? [] : [plainText(roleText(options.role))]),
        nextCommands([
          ['plinth fleet status', 'the operator, policies, rollouts'],
          ['kubectl explain updatepolicy.spec', 'what a policy can say'],
        ]),
      ],
    };
  });
}

const BUILT_IN: readonly string[] = ['reader', 'operator', 'admin'];

/** What nodes have to have in their document ApiAccess for a role of the owner's own. */
function roleText(role: string): string {
  return [
    `Nodes take the operator once ApiAccess of their machine config has this role ("plinth apply"):`,
    'roles:',
    `  - name: ${role}`,
    '    methods:',
    ...NODE_METHODS.map((method) => `      - ${method}`),
  ].join('\n');
}

const secretSchema = z.looseObject({ data: z.looseObject({ 'tls.crt': z.base64() }) });

/** The certificate by which the operator comes to the nodes: kept while it is good for a while, else a new one. */
async function giveAccess(
  options: InstallFleetOptions,
  connection: KubeConnection,
  { env, signal }: CommandContext,
): Promise<string> {
  const { namespace } = options;
  const path = `/api/v1/namespaces/${namespace}/secrets/${NODE_ACCESS_SECRET}`;
  const held = await readHeld(connection, path, options.role, signal);
  if (held !== undefined && held.getTime() - Date.now() > Math.min(30 * DAY_MS, options.ttl / 3))
    return held.toISOString();
  const { made, issued } = await issueCertificate('fleet-operator', options, env);
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: NODE_ACCESS_SECRET,
      namespace,
      annotations: { 'plinth.dev/fingerprint': issued.fingerprint },
    },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': made.certificatePem, 'tls.key': made.privateKeyPem },
  };
  await applyObject(connection, openKindMap(connection), secret, FIELD_MANAGER, signal);
  return issued.expiresAt;
}

/** When the certificate that is there ends; undefined when there is none of this role, or none that can be read. */
async function readHeld(
  connection: KubeConnection,
  path: string,
  role: string,
  signal: AbortSignal,
): Promise<Date | undefined> {
  try {
    const { data } = secretSchema.parse(await askKube(connection, { method: 'GET', path }, signal));
    const { subject, validToDate } = new X509Certificate(Buffer.from(data['tls.crt'], 'base64'));
    const organisation = /^O=(.*)$/m.exec(subject)?.[1];
    return organisation === role || organisation === `plinth:${role}` ? validToDate : undefined;
  } catch (reason) {
    if (reason instanceof PlinthError && reason.code !== 'kube/not-found') throw reason;
    return undefined;
  }
}
