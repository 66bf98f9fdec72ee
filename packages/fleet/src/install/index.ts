export { type InstallOptions, installManifests, operatorManifests } from './manifests.ts';
export { monitoringManifests } from './monitoring.ts';
export { FLEET_NAME, FLEET_NAMESPACE, NODE_ACCESS_SECRET } from './names.ts';
export { NODE_METHODS } from './node-role.ts';
export { renderManifests } from './render-manifests.ts';
