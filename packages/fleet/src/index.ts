export { FLEET_GROUP, FLEET_VERSION, fleetKinds, makeDefinitions } from './crd/index.ts';
export { driftOf } from './decide/drift.ts';
export { PHASES } from './decide/node/phases.ts';
export { previewRollout, type RolloutPreview } from './decide/rollout/index.ts';
export {
  FLEET_NAME,
  FLEET_NAMESPACE,
  type InstallOptions,
  installManifests,
  monitoringManifests,
  NODE_ACCESS_SECRET,
  NODE_METHODS,
  operatorManifests,
  renderManifests,
} from './install/index.ts';
export * from './objects/index.ts';
export { type ReadFleet, type ReadFleetOptions, readFleet } from './view/read-once.ts';
export type { FleetView, StoredNodeUpdate, StoredPolicy, StoredRollout } from './view/view.ts';
