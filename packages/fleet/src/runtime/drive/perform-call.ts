import { ActState, type NodeClient, type StartPermission } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import type { NodeCall } from '../../decide/decision.ts';
import {
  type Authorization,
  momentMs,
  type NodeUpdateSpec,
  type Reason,
  type Target,
} from '../../objects/index.ts';
import { applyConfig, askConfig, configReport, takeConfigBack } from './config-part.ts';
import type { NodeAnswers } from './read-report.ts';

const REASON = 'fleet';

/** What calls need besides the node. */
export interface CallParts {
  readonly hotLayerMs: number;
  documentsOf(target: Target): Promise<Uint8Array>;
}

/** askNode asks a node for all that a report is made of. @param documents those of the target's config; undefined: they are not known */
export async function askNode(
  client: NodeClient,
  target: Target | undefined,
  documents?: Uint8Array,
): Promise<NodeAnswers> {
  const [identity, update, kubernetes, hotLayer, config] = await Promise.all([
    client.getIdentity(),
    client.update.get(),
    client.kubernetes.get(),
    (target?.hotLayerSerial ?? 0) > 0 ? client.hotLayer.get() : undefined,
    // A node that refuses documents answers all the same.
    documents && askConfig(client, documents).catch(refusalOf),
  ]);
  return { identity, update, kubernetes, hotLayer, config };
}

function refusalOf(reason: unknown): Reason {
  const { code, message } = PlinthError.from(reason, 'api/failed', 'Cannot ask for the config');
  return { code, text: message.slice(0, 1000) };
}

/**
 * performCall has plinthd do what was decided; each can be done again. What is not needed any more is not asked for.
 * @param spec as it was written: the permission is sent only from there
 * @param documentsOf the documents of a target's config
 * @throws as NodeClient; fleet/no-kubernetes-layer, fleet/config-documents
 */
export async function performCall(
  client: NodeClient,
  call: NodeCall,
  spec: NodeUpdateSpec,
  { hotLayerMs, documentsOf }: CallParts,
): Promise<void> {
  switch (call.call) {
    case 'report':
      return;
    case 'stage':
      return stage(client, call.target, hotLayerMs);
    case 'unstage':
      await client.update.cancel();
      return;
    case 'activate':
      return activate(client, call.target, spec.authorization, documentsOf);
    case 'upgrade-kubernetes':
      return upgradeKubernetes(client, call.target);
    case 'take-back':
      return takeConfigBack(client, call.target, false);
    case 'roll-back':
      return rollBack(client, spec);
  }
}

async function rollBack(client: NodeClient, { authorization, target }: NodeUpdateSpec): Promise<void> {
  const start = { reason: REASON, authorization: permission(authorization, 'Back') };
  if (target && target.configDigest !== '') {
    try {
      await takeConfigBack(client, target, true);
    } catch (reason) {
      // One that is on trial goes back with the boot that ends.
      if (!(reason instanceof PlinthError) || reason.code !== 'config/busy') throw reason;
    }
  }
  const { booted } = await client.update.get();
  if (booted?.rootHash === authorization?.rootHash) await client.machine.reboot(start);
  else await client.update.rollBack(start);
}

async function upgradeKubernetes({ kubernetes }: NodeClient, target: Target): Promise<void> {
  const version = versionOf(target);
  const { version: now, act } = await kubernetes.get();
  if (version !== '' && now !== version && act?.state !== ActState.RUNNING) await kubernetes.upgrade(version);
}

/** Kubernetes writes its versions with a "v", layers without. */
function versionOf({ kubernetesVersion }: Target): string {
  return kubernetesVersion.replace(/^v/, '');
}

async function stage(client: NodeClient, target: Target, hotLayerMs: number): Promise<void> {
  const { osRootHash, osVersion, hotLayerSerial } = target;
  const { update, hotLayer, kubernetes } = await askNode(client, target);
  if (osRootHash !== '' && ![update.booted?.rootHash, update.staged?.rootHash].includes(osRootHash)) {
    // Another version that is staged, or on its way, gives way to this one.
    const isOther = (update.stage?.version ?? osVersion) !== osVersion || update.staged !== undefined;
    if (isOther) await client.update.cancel();
    for await (const _ of client.update.stage(osVersion));
  }
  if (
    hotLayerSerial > 0 &&
    Math.max(hotLayer?.layer?.serial ?? 0, hotLayer?.staged?.serial ?? 0) < hotLayerSerial
  )
    await client.hotLayer.fetch(hotLayerMs);
  const version = versionOf(target);
  if (
    version !== '' &&
    kubernetes.version !== version &&
    !kubernetes.layers.some((layer) => layer.version === version)
  )
    throw new PlinthError(
      'fleet/no-kubernetes-layer',
      `Cannot bring Kubernetes ${version} to the node: it has no layer of it`,
    );
}

async function activate(
  client: NodeClient,
  target: Target,
  authorization: Authorization | undefined,
  documentsOf: CallParts['documentsOf'],
): Promise<void> {
  const { osRootHash, hotLayerSerial, rebootRequired, configDigest } = target;
  const documents = configDigest === '' ? undefined : await documentsOf(target);
  const { update, hotLayer, config } = await askNode(client, target, documents);
  const isStart = authorization !== undefined;
  if (documents && config) {
    if ('code' in config) throw new PlinthError('fleet/config-documents', config.text);
    await applyConfig(client, target, documents, configReport(config, target), isStart);
  }
  if (hotLayerSerial > 0 && (hotLayer?.layer?.serial ?? 0) < hotLayerSerial && !hotLayer?.busy)
    await client.hotLayer.activate(hotLayerSerial);
  if (!isStart && osRootHash === '' && !rebootRequired) return;
  const start = {
    reason: `${REASON} ${target.release}`.slice(0, 200),
    authorization: permission(authorization, 'Forward'),
  };
  if (osRootHash !== '' && update.booted?.rootHash !== osRootHash)
    await client.update.activate(target.osVersion, start);
  else await client.machine.reboot(start);
}

/** @throws fleet/not-leading when nothing was permitted: a decision made on an older state */
function permission(
  authorization: Authorization | undefined,
  direction: Authorization['direction'],
): StartPermission {
  if (authorization?.direction !== direction)
    throw new PlinthError(
      'fleet/not-leading',
      'Cannot start the release: no start is permitted, expected an authorization',
    );
  const { bootId, rootHash, notAfter, nonce } = authorization;
  return { bootId, rootHash, notAfterMs: momentMs(notAfter), nonce };
}
