import type { FleetView, NodeView, StoredRelease } from '../../view/view.ts';

const CONTROL_PLANE_LABEL = 'node-role.kubernetes.io/control-plane';
/** A kubelet may be so many minor versions older than the API server. */
const KUBELET_SKEW = 3;

/** Major, minor and patch of "v1.36.4"; undefined where it is no version. */
type Version = readonly [number, number, number];

function versionOf(text: string): Version | undefined {
  const match = /^v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?/.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] : undefined;
}

function compareVersions(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** Whether a Node says that it runs a control plane. */
export function isControlPlane(node: NodeView): boolean {
  return CONTROL_PLANE_LABEL in node.labels;
}

/**
 * The oldest API server that may answer: that of the oldest control plane, or the one that was asked. undefined where
 * nobody could tell: a version that cannot be read is not known either.
 */
function oldestServer(view: FleetView): Version | undefined {
  const texts = [...view.nodes.values()]
    .filter(isControlPlane)
    .flatMap(({ name, kubeletVersion }) => [
      kubeletVersion,
      view.nodeUpdates.get(name)?.status?.node?.kubernetesVersion || kubeletVersion,
    ]);
  if (view.apiServerVersion !== undefined) texts.push(view.apiServerVersion);
  let oldest: Version | undefined;
  for (const text of texts) {
    const version = versionOf(text);
    if (version === undefined) return undefined;
    if (oldest === undefined || compareVersions(version, oldest) < 0) oldest = version;
  }
  return oldest;
}

/**
 * Why nodes may not be brought to the Kubernetes of a release just now; undefined: they may. A kubelet is never newer than
 * the oldest API server nor more than three minor versions older (S8); control planes do not skip a minor version.
 */
export function skewProblem(
  view: FleetView,
  release: StoredRelease,
  role: 'Worker' | 'ControlPlane',
): string | undefined {
  const text = release.spec.kubernetes?.version;
  if (text === undefined) return undefined;
  const version = versionOf(text);
  if (version === undefined) return `"${text}" is no version of Kubernetes`;
  const server = oldestServer(view);
  if (server === undefined) return 'the version of the oldest API server is not known';
  if (role === 'Worker') {
    if (compareVersions(version, server) > 0)
      return `Kubernetes ${text} is newer than the oldest API server (${server.join('.')}): control planes go first`;
    if (version[0] !== server[0] || server[1] - version[1] > KUBELET_SKEW)
      return `Kubernetes ${text} is more than ${KUBELET_SKEW} minor versions older than the API server (${server.join('.')})`;
    return undefined;
  }
  if (version[0] !== server[0] || version[1] - server[1] > 1)
    return `control planes run ${server.join('.')} and may not skip a minor version on the way to ${text}`;
  if (version[1] < server[1])
    return `control planes run ${server.join('.')} and may not go back to the minor version of ${text}`;
  for (const node of view.nodes.values()) {
    const kubelet = versionOf(node.kubeletVersion);
    if (kubelet === undefined) return `the version of the kubelet on ${node.name} is not known`;
    if (version[1] - kubelet[1] > KUBELET_SKEW)
      return `the kubelet on ${node.name} (${node.kubeletVersion}) is too old for an API server ${text}`;
  }
  return undefined;
}

/** Whether a release brings control planes another Kubernetes than one of them runs. */
export function changesKubernetes(view: FleetView, release: StoredRelease): boolean {
  const version = versionOf(release.spec.kubernetes?.version ?? '');
  if (version === undefined) return false;
  return [...view.nodes.values()].some((node) => {
    const kubelet = versionOf(node.kubeletVersion);
    return isControlPlane(node) && (kubelet === undefined || compareVersions(kubelet, version) !== 0);
  });
}
