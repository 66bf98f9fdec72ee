import type { Papers } from './find-papers.ts';
import type { MergedLayer, NodeState } from './node-state.ts';

/** Nodes that run the same: one release, with the same hot layer or none. */
export interface NodeGroup {
  readonly papers: Papers;
  readonly layer?: MergedLayer;
  readonly nodes: readonly string[];
}

/** groupNodes puts nodes together by root hash and hot layer, most nodes first; those without papers are in no group. Pure. */
export function groupNodes(
  nodes: readonly NodeState[],
  byRootHash: ReadonlyMap<string, Papers>,
): NodeGroup[] {
  const known = nodes.flatMap((state) => {
    const papers = byRootHash.get(state.rootHash);
    const layer = layerOn(state);
    return papers ? [{ node: state.node, papers, ...(layer ? { layer } : {}) }] : [];
  });
  const groups = Map.groupBy(known, ({ papers, layer }) => JSON.stringify([papers.rootHash, layer ?? null]));
  return [...groups.values()]
    .flatMap((group): NodeGroup[] => {
      const [first] = group;
      if (!first) return [];
      const { papers, layer } = first;
      return [{ papers, ...(layer ? { layer } : {}), nodes: group.map(({ node }) => node).sort() }];
    })
    .sort((a, b) => b.nodes.length - a.nodes.length || (a.papers.name < b.papers.name ? -1 : 1));
}

/** A layer for another image than the one that runs cannot be merged; who says so is not believed. */
function layerOn({ hotLayer, rootHash }: NodeState): MergedLayer | undefined {
  if (hotLayer === 'none' || hotLayer === 'unknown' || hotLayer.baseRootHash !== rootHash) return undefined;
  return hotLayer;
}

/** gapsOf says what stays unknown of a node, or must not be believed; pure. */
export function gapsOf(state: NodeState, papers: Papers | undefined): string[] {
  const { integrity, rootHash, hotLayer, kubernetes, oldCode } = state;
  const checks = integrity.notPassing.join(', ');
  return [
    ...(rootHash === ''
      ? ['its root is not on dm-verity: nobody can tell what it runs']
      : papers === undefined
        ? [`no papers have its root hash ${rootHash.slice(0, 16)}…: what it runs is unknown`]
        : papers.version === state.version
          ? []
          : [
              `it calls itself ${state.version || '<nothing>'}, the papers of its root hash say ${papers.version}`,
            ]),
    ...(integrity.verdict === 'fail'
      ? [`its integrity check fails (${checks}): it may run something else than it says`]
      : integrity.verdict === 'unknown'
        ? [`its integrity is not fully known (${checks})`]
        : []),
    ...(hotLayer === 'unknown'
      ? ['whether a hot layer is merged is unknown: judged without one']
      : hotLayer !== 'none' && hotLayer.baseRootHash !== rootHash
        ? [`hot layer ${hotLayer.serial} is for another image: it was not counted`]
        : []),
    ...(hotLayer !== 'none' && oldCode === 'mapped'
      ? [
          `${state.oldProcesses === 1 ? 'a process still runs' : `${state.oldProcesses} processes still run`} code that the hot layer replaced`,
        ]
      : hotLayer !== 'none' && hotLayer !== 'unknown' && oldCode === 'unknown'
        ? ['whether replaced code is still mapped is unknown']
        : []),
    ...(kubernetes === 'unknown'
      ? ['which Kubernetes layer it has is unknown']
      : kubernetes.map(
          (version) =>
            `its Kubernetes layer ${version} was not judged: a node tells its version, not its hash`,
        )),
  ];
}
