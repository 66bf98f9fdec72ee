import type { Papers } from './find-papers.ts';
import type { MergedLayer, NodeState } from './node-state.ts';

/** Nodes that run the same: one release, with the same hot layer or none; or one Kubernetes layer. */
export interface NodeGroup {
  readonly papers: Papers;
  readonly layer?: MergedLayer;
  readonly nodes: readonly string[];
}

/** One part of what a node runs. */
interface Running extends Pick<NodeGroup, 'papers' | 'layer'> {
  readonly node: string;
}

/**
 * groupNodes puts nodes together by root hash and hot layer, most nodes first; those without papers are in no group. A node
 * with a Kubernetes layer is in a group for that too. Pure.
 */
export function groupNodes(
  nodes: readonly NodeState[],
  byRootHash: ReadonlyMap<string, Papers>,
): NodeGroup[] {
  const known = nodes.flatMap((state): Running[] => {
    const papers = byRootHash.get(state.rootHash);
    const layer = layerOn(state);
    return [
      ...(papers?.kind === 'release' ? [{ node: state.node, papers, ...(layer ? { layer } : {}) }] : []),
      ...layersOf(state, byRootHash).map((own) => ({ node: state.node, papers: own })),
    ];
  });
  const groups = Map.groupBy(known, ({ papers, layer }) => JSON.stringify([papers.rootHash, layer ?? null]));
  return [...groups.values()]
    .flatMap((group): NodeGroup[] => {
      const [first] = group;
      if (!first) return [];
      const { papers, layer } = first;
      return [{ papers, ...(layer ? { layer } : {}), nodes: group.map(({ node }) => node).sort() }];
    })
    .sort(
      (a, b) =>
        Number(a.papers.kind === 'layer') - Number(b.papers.kind === 'layer') ||
        b.nodes.length - a.nodes.length ||
        (a.papers.name < b.papers.name ? -1 : 1),
    );
}

/** A layer for another image than the one that runs cannot be merged; who says so is not believed. */
function layerOn({ hotLayer, rootHash }: NodeState): MergedLayer | undefined {
  if (hotLayer === 'none' || hotLayer === 'unknown' || hotLayer.baseRootHash !== rootHash) return undefined;
  return hotLayer;
}

/** layersOf gives the papers of the Kubernetes layers whose volumes a node has open, those it merged before too; pure. */
export function layersOf(
  { layerRootHashes }: NodeState,
  byRootHash: ReadonlyMap<string, Papers>,
): readonly Papers[] {
  return layerRootHashes.flatMap((hash) => byRootHash.get(hash) ?? []).filter(({ kind }) => kind === 'layer');
}

/**
 * gapsOf says what stays unknown of a node, or must not be believed; pure.
 * @param papers of its root
 * @param layers papers of its Kubernetes layers, see layersOf
 */
export function gapsOf(
  state: NodeState,
  papers: Papers | undefined,
  layers: readonly Papers[] = [],
): string[] {
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
    ...(kubernetes === 'unknown' ? ['which Kubernetes layer it has is unknown'] : []),
    ...(kubernetes === 'unknown' ? [] : kubernetes)
      .filter((version) => !layers.some((layer) => layer.version === version))
      .map((version) =>
        state.layerRootHashes.length === 0
          ? `its Kubernetes layer ${version} was not judged: it tells the version, not the hash (an older plinthd)`
          : `its Kubernetes layer ${version} was not judged: no papers of that version have a root hash that it runs (${state.layerRootHashes.map((hash) => `${hash.slice(0, 16)}…`).join(', ')})`,
      ),
    ...layers
      .filter(({ version }) => kubernetes === 'unknown' || !kubernetes.includes(version))
      .map(({ name }) => `it still holds ${name}, which is merged no more: pods may run code of it`),
  ];
}
