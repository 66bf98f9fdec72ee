/** What a node says about itself before an upgrade. */
export interface UpgradeNode {
  readonly name: string;
  readonly role: 'control-plane' | 'worker' | 'unknown';
  readonly membership: 'none' | 'pending' | 'member' | 'unknown';
  /** Kubernetes version it runs, "1.36.4". */
  readonly version: string;
  /** Versions of the layers it has. */
  readonly layers: readonly string[];
  /** The act that runs on it now. */
  readonly busyWith?: 'bootstrap' | 'join' | 'upgrade' | 'leave' | 'unknown' | undefined;
}

export type UpgradeStep =
  /** The node is at an upgrade that an earlier client began. */
  | { readonly kind: 'await'; readonly name: string }
  | { readonly kind: 'stage'; readonly name: string }
  | { readonly kind: 'upgrade'; readonly name: string; readonly from: string };

export type UpgradePlan =
  | { readonly ok: true; readonly steps: readonly UpgradeStep[] }
  | { readonly ok: false; readonly reason: string };

type Version = readonly [major: number, minor: number, patch: number];

/**
 * planUpgrade tells what brings all nodes to a version, in order; pure. First every node gets the layer, so that nothing
 * is missing half-way; then the control planes one by one, then the workers. What is done already is not in the plan,
 * so that the same call goes on after a client died.
 *
 * Rules (kubernetes.io, version skew policy): never down; control planes up by one minor version at a time; a kubelet at
 * most three minor versions behind the API server, and never ahead.
 */
export function planUpgrade(nodes: readonly UpgradeNode[], target: string): UpgradePlan {
  const goal = parseVersion(target);
  if (!goal) return refuse(`"${target}" is no version, expected one such as 1.37.1`);
  const controlPlanes = nodes.filter(({ role }) => role === 'control-plane');
  if (controlPlanes.length === 0)
    return refuse('there is no control plane among the nodes, expected all of them');
  for (const node of nodes) {
    const reason = nodeProblem(node, goal, target);
    if (reason) return refuse(reason);
  }
  const todo = nodes.filter(({ version }) => version !== target);
  const inOrder = [
    ...todo.filter(({ role }) => role === 'control-plane'),
    ...todo.filter(({ role }) => role === 'worker'),
  ];
  return {
    ok: true,
    steps: [
      ...nodes
        .filter(({ busyWith }) => busyWith === 'upgrade')
        .map(({ name }) => ({ kind: 'await' as const, name })),
      ...inOrder
        .filter(({ layers }) => !layers.includes(target))
        .map(({ name }) => ({ kind: 'stage' as const, name })),
      ...inOrder
        .filter(({ busyWith }) => busyWith === undefined)
        .map(({ name, version }) => ({ kind: 'upgrade' as const, name, from: version })),
    ],
  };
}

function nodeProblem(node: UpgradeNode, goal: Version, target: string): string | undefined {
  const { name, version, role, membership, busyWith } = node;
  if (membership !== 'member' || role === 'unknown') {
    return `node "${name}" is ${membership === 'member' ? 'of an unknown role' : `no member (${membership})`}, expected a member`;
  }
  if (busyWith !== undefined && busyWith !== 'upgrade')
    return `node "${name}" is at its ${busyWith}, expected it idle`;
  const present = parseVersion(version);
  if (!present) return `node "${name}" runs "${version}", expected a version`;
  if (compare(present, goal) > 0)
    return `node "${name}" runs ${version} already, expected ${target} or older`;
  if (present[0] !== goal[0])
    return `node "${name}" runs ${version}, expected the same major version as ${target}`;
  const behind = goal[1] - present[1];
  if (role === 'control-plane' && behind > 1) {
    return `control plane "${name}" runs ${version}, ${behind} minor versions behind ${target}, expected one at most`;
  }
  if (behind > 3) {
    return `the kubelet of node "${name}" runs ${version}, ${behind} minor versions behind ${target}, expected three at most`;
  }
  return undefined;
}

/** parseVersion reads "1.37.1"; undefined for anything else. */
export function parseVersion(text: string): Version | undefined {
  const match = /^(\d{1,4})\.(\d{1,4})\.(\d{1,4})$/.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined;
}

/** compareVersions orders versions, oldest first; what is no version comes first. */
export function compareVersions(a: string, b: string): number {
  return compare(parseVersion(a) ?? [0, 0, 0], parseVersion(b) ?? [0, 0, 0]);
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

function refuse(reason: string): UpgradePlan {
  return { ok: false, reason };
}
