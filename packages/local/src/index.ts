export { type Accelerator, chooseAccelerator, detectAccelerator } from './accelerator.ts';
export { type BootFailureCode, type BootVerdict, judgeConsoleLine } from './boot-verdict.ts';
export {
  type ClusterMember,
  type ClusterNetwork,
  checkClusterName,
  type MemberRole,
  memberAddress,
  memberCard,
} from './cluster/cluster-network.ts';
export {
  type ClusterRecord,
  changeCluster,
  clusterFolder,
  findCluster,
  forgetCluster,
  kubeconfigPath,
  listClusters,
  readCluster,
  withCluster,
} from './cluster/cluster-record.ts';
export { type ClusterWish, growCluster, withoutMember } from './cluster/grow-cluster.ts';
export {
  type ClusterStep,
  type ObservedAct,
  type ObservedMember,
  planCluster,
} from './cluster/plan-cluster.ts';
export { followConsole, followConsoleLines, openConsole, readConsole } from './console.ts';
export type { MachineTools } from './launch.ts';
export {
  findMachine,
  findRunningMachine,
  listMachines,
  type MachineState,
  type MachineStatus,
} from './list-machines.ts';
export { consolePath, machineFolder, machinesRoot } from './machine-files.ts';
export type { MachineRecord } from './machine-record.ts';
export {
  type BaseDisk,
  type ClusterCard,
  checkMachineSpec,
  type DirectKernel,
  type ExtraDrive,
  type Firmware,
  type FirmwareCertificates,
  type MachineSpec,
  machineDefaults,
} from './machine-spec.ts';
export { isPaused, pauseMachine, resumeMachine } from './pause-machine.ts';
export { screenshotMachine } from './screenshot-machine.ts';
export { setLink } from './set-link.ts';
export { type StartOptions, startMachine } from './start-machine.ts';
export { destroyMachine, type StopOptions, type StopOutcome, stopMachine } from './stop-machine.ts';
export {
  type ApiEndpoint,
  type BootOutcome,
  type WatchOptions,
  waitForApi,
  watchBoot,
} from './wait-for-api.ts';
