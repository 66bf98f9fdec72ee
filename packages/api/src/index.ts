export { connectNode, type NodeClient } from './connect-node.ts';
export type { NodeTarget } from './dial-node.ts';
export { fingerprintOf, isFingerprint } from './fingerprint.ts';
export * from './gen/plinth/node/v1/node_pb.ts';
export { messageData } from './message-data.ts';
export { bootStateName, healthStateName, partitionRoleName, verdictName } from './names.ts';

/** The port plinthd listens on. */
export const nodeApiPort = 7546;
