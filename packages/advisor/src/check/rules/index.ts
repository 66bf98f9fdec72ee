import { checkAgents, checkDrivers, checkGpu } from './agents.ts';
import { checkHostLabels } from './host-labels.ts';
import { checkHostPaths } from './host-paths.ts';
import { checkKernel, checkKernelScripts } from './kernel.ts';
import { checkKubelet, checkKubeletObjects } from './kubelet.ts';
import { checkDevices, checkNamespaces, checkPrivileges } from './namespaces.ts';
import { checkPrograms, checkScripts } from './programs.ts';
import type { ObjectRule, PodRule } from './rule.ts';
import { checkScheduling } from './scheduling.ts';
import { checkConfinement } from './security.ts';
import { checkBarePods, checkLocalData, checkLocalVolumes } from './storage.ts';

/** Rules over the pods of an object. What each looks for stands in data/check/rules.yaml. */
export const podRules: readonly PodRule[] = [
  checkHostPaths,
  checkHostLabels,
  checkNamespaces,
  checkPrivileges,
  checkDevices,
  checkPrograms,
  checkKernel,
  checkAgents,
  checkGpu,
  checkConfinement,
  checkKubelet,
  checkScheduling,
  checkLocalData,
  checkBarePods,
];

/** Rules over objects of any kind. */
export const objectRules: readonly ObjectRule[] = [
  checkScripts,
  checkKernelScripts,
  checkKubeletObjects,
  checkDrivers,
  checkLocalVolumes,
];
