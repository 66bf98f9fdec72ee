export { makeSampleRelease, openWorkshop, type SampleWorkshop } from '../release/sample-release.testing.ts';
export { makeRootFilesystem } from '../root/make-root.ts';
export { loadSelinuxSpec } from '../spec/selinux-spec.ts';
export { relaxName } from '../sysext/relax-name.ts';
export { buildSelinuxPolicy } from '../tree/selinux-policy.ts';
export {
  type ControlPlane,
  etcdArgs,
  findKubernetesPrograms,
  type KubernetesPrograms,
  openProgramSet,
  PATIENCE_MS,
  type ProgramSet,
  startControlPlane,
} from './control-plane.ts';
export { endProcess, freePorts, openProcesses, type Processes } from './processes.ts';
