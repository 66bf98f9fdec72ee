import { messageOf } from '@plinth/base';
import type { Inventory } from '../model/index.ts';
import { type ScanOptions, scanInventory } from '../scan/scan.ts';
import type { AdvisoryStore } from '../store/index.ts';
import { applyHotLayer } from './apply-hot-layer.ts';
import type { PapersFound } from './find-papers.ts';
import { gapsOf, groupNodes, layersOf } from './group-nodes.ts';
import type { JudgedNode, NodeState, NodesReport, RunningRelease } from './node-state.ts';

/**
 * scanNodes tells what is open on nodes: each release that runs is judged once by its papers, found by the root hash that
 * the node's kernel enforces, with the fixes of the hot layer over it; its Kubernetes layers likewise, each by its own. A
 * node without papers is unknown, with a gap.
 * @throws advisory/store-failed, host/io, cli/interrupted
 */
export async function scanNodes(
  states: readonly NodeState[],
  { byRootHash, gaps: notFound }: PapersFound,
  store: AdvisoryStore,
  options: Omit<ScanOptions, 'storePath'> = {},
): Promise<NodesReport> {
  const now = options.now ?? new Date();
  const releases: RunningRelease[] = [];
  const unread = new Map<string, string>();
  for (const { papers, layer, nodes } of groupNodes(states, byRootHash)) {
    let inventory: Inventory;
    try {
      inventory = await papers.read();
    } catch (reason) {
      unread.set(papers.rootHash, `the papers of ${papers.name} cannot be used: ${messageOf(reason)}`);
      continue;
    }
    const running = layer ? applyHotLayer(inventory, layer) : inventory;
    releases.push({
      ...{ kind: papers.kind, name: papers.name, rootHash: papers.rootHash, papers: papers.path, nodes },
      ...(layer ? { hotLayerSerial: layer.serial } : {}),
      report: await scanInventory(running, store, { ...options, now }),
    });
  }
  const nodes = states
    .map((state): JudgedNode => {
      const own = byRootHash.get(state.rootHash);
      const papers = own?.kind === 'release' ? own : undefined;
      const layers = layersOf(state, byRootHash);
      const damages = [...(papers ? [papers] : []), ...layers].flatMap(
        ({ rootHash }) => unread.get(rootHash) ?? [],
      );
      const isJudged = papers !== undefined && !unread.has(papers.rootHash);
      return {
        ...state,
        ...(isJudged ? { release: papers.name } : {}),
        layers: layers.filter(({ rootHash }) => !unread.has(rootHash)).map(({ name }) => name),
        gaps: [...damages, ...gapsOf(state, papers, layers)],
      };
    })
    .sort((a, b) => (a.node < b.node ? -1 : 1));
  return {
    format: 1,
    judgedAt: now.toISOString(),
    releases,
    nodes,
    gaps: notFound,
    complete: nodes.every(({ gaps }) => gaps.length === 0) && releases.every(({ report }) => report.complete),
  };
}
