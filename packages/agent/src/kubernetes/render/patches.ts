import { stringify } from 'yaml';
import { FOLDER } from '../paths.ts';
import type { RenderedFile } from '../settings.ts';

/** The parts of a control plane that run as static pods, by kubeadm's names, and their domains (os/selinux/control-plane.cil). */
const PARTS = [
  ['etcd', 'etcd_t'],
  ['kube-apiserver', 'kube_apiserver_t'],
  ['kube-controller-manager', 'kube_controller_manager_t'],
  ['kube-scheduler', 'kube_scheduler_t'],
] as const;

/** Where programs lie on the node. */
const PROGRAM_PATH = '/usr/sbin:/usr/bin';

/**
 * A machine that stalls for a minute must not lose its control plane to its own probe: the new start costs more than the
 * stall. kubeadm allows 80 s of silence; a process that hangs for good is found after four minutes.
 */
const PATIENT_PROBE = { timeoutSeconds: 30, failureThreshold: 24 };

/** Tells which version a pod is of: without it an upgrade would not change the manifest, and nothing would restart. */
export const VERSION_ANNOTATION = 'plinth.dev/kubernetes-version';

/**
 * controlPlanePatches make kubeadm's static pods run the node's own verified programs: the image brings no program, and
 * the node's /usr is mounted over its empty one.
 * @param version of Kubernetes, "1.37.1"
 */
export function controlPlanePatches({
  version,
  pauseImage,
}: {
  readonly version: string;
  readonly pauseImage: string;
}): RenderedFile[] {
  return PARTS.map(([part, domain]) => [
    `${FOLDER}/patches/${part}+strategic.yaml`,
    stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: part, namespace: 'kube-system', annotations: { [VERSION_ANNOTATION]: version } },
      spec: {
        // They are parts of the node, which has no categories.
        securityContext: { seLinuxOptions: { type: domain, level: 's0' } },
        containers: [
          {
            name: part,
            image: pauseImage,
            imagePullPolicy: 'Never',
            // The image names no search path, and kubeadm's commands are bare names.
            env: [{ name: 'PATH', value: PROGRAM_PATH }],
            livenessProbe: PATIENT_PROBE,
            volumeMounts: [{ name: 'node-usr', mountPath: '/usr', readOnly: true }],
          },
        ],
        volumes: [{ name: 'node-usr', hostPath: { path: '/usr', type: 'Directory' } }],
      },
    }),
  ]);
}
