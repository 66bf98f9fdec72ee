export { type Certificate, publicKeyId, readCertificate } from './certificate.ts';
export { signPe, verifyPe } from './signatures/authenticode.ts';
export {
  signDetached,
  signRootHash,
  verifyDetached,
  verifyRootHashSignature,
} from './signatures/detached.ts';
export { type DsseEnvelope, parseDsse, preAuthEncoding, signDsse, verifyDsse } from './signatures/dsse.ts';
export { type EfiKeyVariable, signEfiVariable } from './signatures/efi-variable.ts';
export { pcrPublicKeyPem, signPcrPolicies } from './signatures/pcr-policies.ts';
export { type ExternalSignerOptions, externalSigner, localSigner, type Signer } from './signer.ts';
export type { SignatureVerdict } from './verdict.ts';
