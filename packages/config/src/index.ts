export { describeEffect } from './describe/describe-effect.ts';
export { describeFields, type FieldDescription } from './describe/describe-fields.ts';
export { type Explanation, explainKey } from './describe/explain.ts';
export { configJsonSchema } from './describe/json-schema.ts';
export { parseCidr } from './framework/ip.ts';
export type { Count, DeepReadonly, Effect, Kind, RenderedFile } from './framework/kind.ts';
export { bytesOf, secondsOf } from './framework/values.ts';
export type { BootstrapContainer } from './kinds/bootstrap-container/schema.ts';
export { allowedModules } from './kinds/kernel-modules/allowed.ts';
export { type LogShipping, priorities as logPriorities } from './kinds/log-shipping/kind.ts';
export { fixedAddressesOf, nameServersOf } from './kinds/network/links-of.ts';
export type { Network, NetworkInterface } from './kinds/network/schema.ts';
export { type OperationsSession, sessionLevels } from './kinds/operations-session/kind.ts';
export { allowedSysctls } from './kinds/sysctls/allowed.ts';
export { refusedSysctls } from './kinds/sysctls/refused.ts';
export { sysctlLines } from './kinds/sysctls/render.ts';
export type { ContractCheck, UpdatePolicy } from './kinds/update-policy/schema.ts';
export {
  VOLUME_DEFINITIONS,
  VOLUMES_FOLDER,
  volumeLabel,
  volumeMountOptions,
  volumePlace,
  volumeUnit,
} from './kinds/volume/render.ts';
export type { Volume } from './kinds/volume/schema.ts';
export { legacyDocuments } from './legacy.ts';
export { API_VERSION, allKinds, type MachineConfig } from './machine-config.ts';
export { migrateConfig } from './migrate-config.ts';
export { LIMITS as configLimits } from './parse/limits.ts';
export { mergeDocuments } from './parse/merge-documents.ts';
export { parseConfig } from './parse/parse-config.ts';
export { type ConfigChange, type ConfigPlan, planConfig } from './plan/plan-config.ts';
export { redactConfig } from './redact-config.ts';
export { renderConfig } from './render-config.ts';
export { CARRIED_CONFIG } from './user-data/carried-file.ts';
export { refusedCloudConfig } from './user-data/cloud-config-refused.ts';
export { type DriveTexts, readNoCloud, readOpenStackDrive } from './user-data/config-drive.ts';
export { partTypes } from './user-data/forms.ts';
export { ignitionVersions } from './user-data/ignition.ts';
export { refusedIgnition } from './user-data/ignition-refused.ts';
export { readUserData, type UserData } from './user-data/read-user-data.ts';
export { writeConfig } from './write-config.ts';
