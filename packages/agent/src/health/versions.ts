import { type Finding, fail, pass, unknown } from '../checks/check.ts';
import { readText } from '../sys/sys.ts';
import type { HealthRule, MemberView } from './rule.ts';

const LAYER = '/usr/share/plinth/kubernetes/layer.json';
/** How many minor versions a kubelet may be behind its API server (Kubernetes version skew policy). */
const KUBELET_MINORS_BEHIND = 3;

export const versionRules: readonly HealthRule<MemberView>[] = [
  {
    id: 'version-skew',
    expected: `the kubelet is at most ${KUBELET_MINORS_BEHIND} minor versions behind the API server, and never ahead`,
    source: 'the Node object, /version',
    cause: 'Nodes were upgraded before the control planes, or left out of several upgrades.',
    fix: 'Upgrade the control planes first, then this node.',
    observe: async ({ kubernetes }) =>
      judgeSkewOfVersions((await kubernetes.node()).kubeletVersion, (await kubernetes.apiServer()).version),
  },
  {
    id: 'layer-version',
    expected: 'the merged layer is of the version the node shall run',
    source: LAYER,
    cause: 'An upgrade stopped half-way, or the layer of the wanted version was not there at boot.',
    fix: 'Ask for the upgrade again; it goes on where it stopped.',
    observe: async ({ sys, member }) => judgeLayer(await readText(sys, LAYER), member.version),
  },
  {
    id: 'kubelet-version',
    expected: 'the kubelet runs the version of the layer',
    source: 'the Node object',
    cause: 'The layer was switched and the kubelet was not started again.',
    fix: 'Restart kubelet.service.',
    observe: async ({ kubernetes, member }) =>
      judgeKubelet((await kubernetes.node()).kubeletVersion, member.version),
  },
];

/** judgeSkewOfVersions applies the skew policy to "v1.36.4" and "v1.37.1". */
export function judgeSkewOfVersions(kubelet: string, apiServer: string): Finding {
  const [node, server] = [minorOf(kubelet), minorOf(apiServer)];
  if (node === undefined || server === undefined)
    return unknown(`not a version: ${kubelet || 'none'}, ${apiServer || 'none'}`);
  const observed = `kubelet ${kubelet}, API server ${apiServer}`;
  const behind = server - node;
  return behind >= 0 && behind <= KUBELET_MINORS_BEHIND ? pass(observed) : fail(observed);
}

/** judgeLayer reads layer.json of the merged layer; undefined: none is merged. */
export function judgeLayer(layer: string | undefined, wanted: string): Finding {
  if (layer === undefined) return fail(`no layer is merged, expected ${wanted}`);
  const version = /"kubernetes":\s*"([^"]+)"/.exec(layer)?.[1];
  if (version === undefined) return unknown('the layer does not tell its version');
  return version === wanted ? pass(version) : fail(`${version}, expected ${wanted}`);
}

/** judgeKubelet compares "v1.37.1" with "1.37.1". */
export function judgeKubelet(kubelet: string, wanted: string): Finding {
  if (kubelet === '') return unknown('the node does not tell');
  return kubelet === `v${wanted}` ? pass(kubelet) : fail(`${kubelet}, expected v${wanted}`);
}

function minorOf(version: string): number | undefined {
  const minor = /^v1\.(\d{1,3})\.\d+/.exec(version)?.[1];
  return minor === undefined ? undefined : Number(minor);
}
