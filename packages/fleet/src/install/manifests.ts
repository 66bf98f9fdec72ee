import { makeDefinitions } from '../crd/index.ts';
import { admissionManifests } from './admission.ts';
import { gatesNamespaceOf, metadataOf } from './names.ts';
import { accountManifests, type MayDelete } from './rights.ts';
import { type WorkloadOptions, workloadManifests } from './workload.ts';

/** How the operator is installed. */
export interface InstallOptions extends WorkloadOptions, MayDelete {}

/** operatorManifests gives all objects of the operator but its kinds and its credential, in the order they are applied. */
export function operatorManifests(options: InstallOptions): readonly object[] {
  const { namespace } = options;
  const level = (mode: string) => [`pod-security.kubernetes.io/${mode}`, 'restricted'];
  const labels = Object.fromEntries(['enforce', 'audit', 'warn'].map(level));
  const place = (name: string) => ({
    ...{ apiVersion: 'v1', kind: 'Namespace', metadata: { ...metadataOf(name), labels } },
  });
  return [
    place(namespace),
    place(gatesNamespaceOf(namespace)),
    ...accountManifests(namespace, options),
    ...admissionManifests(namespace),
    ...workloadManifests(options),
  ];
}

/** installManifests gives everything, the kinds first. */
export function installManifests(options: InstallOptions): readonly object[] {
  return [...makeDefinitions(), ...operatorManifests(options)];
}
