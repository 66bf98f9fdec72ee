export { makeDefinitions } from './definitions.ts';
export { FLEET_GROUP, FLEET_VERSION, type FleetKind, fleetKinds } from './kinds.ts';
