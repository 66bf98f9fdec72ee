export { type Certificate, publicKeyId, readCertificate } from './certificate.ts';
export { type ExportKeysOptions, exportKeys, type KeyExportFormat } from './keys/export-keys.ts';
export { type InitKeysOptions, initKeys } from './keys/init-keys.ts';
export {
  type ApiRole,
  apiRoles,
  type ClientCertificate,
  type ClientCertificateRequest,
  issueClientCertificate,
} from './keys/issue-client-certificate.ts';
export type { KeyEntry, KeyRingFile } from './keys/key-ring-file.ts';
export { readKeyRingFile } from './keys/key-ring-file.ts';
export { isKeyRole, type KeyRole, keyRoleNames } from './keys/key-roles.ts';
export {
  type KeyRing,
  type LoadKeysOptions,
  loadKeys,
  loadPublicKeys,
  type PublicKeys,
} from './keys/load-keys.ts';
export { dropRetiredKey, type RotateKeyOptions, rotateKey } from './keys/rotate-key.ts';
export {
  makeOpenPgpKey,
  type OpenPgpKeyFiles,
  type OpenPgpPublicKey,
  type OpenPgpSigner,
  openOpenPgpSigner,
  readOpenPgpKey,
  readOpenPgpKeyFile,
  verifyOpenPgp,
} from './openpgp/openpgp-key.ts';
export { signPe, verifyPe } from './signatures/authenticode.ts';
export {
  signDetached,
  signIpePolicy,
  signRootHash,
  verifyDetached,
  verifyIpePolicy,
  verifyRootHashSignature,
} from './signatures/detached.ts';
export { type DsseEnvelope, parseDsse, preAuthEncoding, signDsse, verifyDsse } from './signatures/dsse.ts';
export { type EfiKeyVariable, signEfiVariable } from './signatures/efi-variable.ts';
export { pcrPublicKeyPem, signPcrPolicies } from './signatures/pcr-policies.ts';
export { type ExternalSignerOptions, externalSigner, localSigner, type Signer } from './signer.ts';
export {
  currentUpdateKeys,
  readUpdateKeyRing,
  type UpdateKey,
  type UpdateKeyRing,
  updateKeyFolder,
  updateKeyPath,
  writeUpdateKeyRing,
} from './update-keys/update-key-ring.ts';
export {
  isUpdateRole,
  type UpdateRole,
  type UpdateRoleSize,
  updateRoleNames,
  updateRoles,
} from './update-keys/update-roles.ts';
export { newUpdateKey, openUpdateSigners, type UpdateSigner } from './update-keys/update-signer.ts';
export type { SignatureVerdict } from './verdict.ts';
