import { stringify } from 'yaml';
import type { RenderedFile } from '../../framework/kind.ts';
import { DEFAULTS, type Kubelet } from './schema.ts';

/** In the folder that kubelet.service of the Kubernetes layer names (--config-dir). */
export const KUBELET_PATH = '/run/plinth/kubelet.conf.d/60-plinth-config.conf';

/**
 * renderKubelet gives what the kubelet lays over the configuration that the cluster has for all nodes; none when
 * nothing is said.
 */
export function renderKubelet(kubelet: Kubelet | undefined): readonly RenderedFile[] {
  // Labels are no setting of the kubelet: plinthd gives them to the node.
  const given = Object.entries(kubelet ?? {}).filter(
    ([name, value]) => value !== undefined && name !== 'labels',
  );
  if (!kubelet || given.length === 0) return [];
  const { evictionHard } = kubelet;
  const text = stringify(
    {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      ...Object.fromEntries(given),
      // A signal that is left out would have no bound at all.
      ...(evictionHard && { evictionHard: { ...DEFAULTS.evictionHard, ...evictionHard } }),
    },
    { sortMapEntries: true, lineWidth: 0 },
  );
  return [{ path: KUBELET_PATH, mode: 0o644, text, secret: false }];
}
