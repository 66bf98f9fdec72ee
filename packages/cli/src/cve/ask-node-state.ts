import type { NodeState } from '@plinth/advisory';
import { type GetHotLayerResponse, HotLayerPhase, type NodeClient, Verdict, verdictName } from '@plinth/api';

/**
 * askNodeState asks a node what it runs. What its kernel enforces must be told; a hot layer or a Kubernetes layer that cannot
 * be told is unknown. @throws api/…
 */
export async function askNodeState(client: NodeClient, node: string): Promise<NodeState> {
  const [identity, versions, integrity, layers, hot] = await Promise.all([
    client.getIdentity(),
    client.getVersions(),
    client.getIntegrity(),
    orUnknown(client.kubernetes.get()),
    orUnknown(client.hotLayer.get()),
  ]);
  return {
    ...{ node, nodeId: identity.nodeId, askedAt: new Date().toISOString() },
    ...{ version: versions.imageVersion, rootHash: integrity.rootHash.toLowerCase() },
    integrity: {
      verdict: verdictName(integrity.verdict),
      notPassing: [
        ...integrity.checks.filter(({ verdict }) => verdict !== Verdict.PASS).map(({ id }) => id),
        ...integrity.mounts
          .filter(({ verdict }) => verdict !== Verdict.PASS)
          .map(({ target }) => `mount ${target}`),
      ].slice(0, NOT_PASSING_LIMIT),
    },
    kubernetes:
      layers === 'unknown'
        ? 'unknown'
        : layers.layers.filter(({ active }) => active).map(({ version }) => version),
    layerRootHashes: integrity.layerRootHashes.map((hash) => hash.toLowerCase()),
    ...hotLayerOf(hot),
  };
}

const NOT_PASSING_LIMIT = 20;

/** What a node cannot tell, because it is older or the caller may not ask, leaves the rest of its answer good. */
async function orUnknown<T>(asked: Promise<T>): Promise<T | 'unknown'> {
  try {
    return await asked;
  } catch {
    // Why is no matter: the gap says that it is not known, and nothing of it counts as fine.
    return 'unknown';
  }
}

function hotLayerOf(
  answer: GetHotLayerResponse | 'unknown',
): Pick<NodeState, 'hotLayer' | 'oldCode' | 'oldProcesses'> {
  if (answer === 'unknown') return { hotLayer: 'unknown', oldCode: 'unknown', oldProcesses: 0 };
  const { phase, layer, report } = answer;
  const oldProcesses = report?.remaining.length ?? 0;
  // A process that the kernel did not show, or a unit that did not restart, may run anything.
  const isSure = report !== undefined && report.hidden === 0 && report.failed.length === 0;
  const isNone = phase === HotLayerPhase.NONE || phase === HotLayerPhase.DORMANT;
  const isMerged = phase === HotLayerPhase.ACTIVE || phase === HotLayerPhase.ON_TRIAL;
  return {
    hotLayer: isNone
      ? 'none'
      : isMerged && layer !== undefined
        ? {
            serial: layer.serial,
            baseRootHash: layer.baseRootHash.toLowerCase(),
            fixes: layer.fixes.map(({ package: name, fromVersion, toVersion }) => ({
              ...{ package: name, fromVersion, toVersion },
            })),
          }
        : 'unknown',
    oldCode: !isMerged
      ? 'unknown'
      : oldProcesses > 0
        ? 'mapped'
        : isSure && !answer.busy
          ? 'none'
          : 'unknown',
    oldProcesses: isMerged ? oldProcesses : 0,
  };
}
