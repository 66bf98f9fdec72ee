export { type BootParts, type CrookedBoot, crookedBoots } from './crooked-boots.ts';
export { type PaperTpm, paperEvidence, paperTpm } from './paper-tpm.ts';
export { type RecordedBoot, recordedBoot, registersOf } from './recorded-boot.ts';
export { type SoftTpm, startSoftTpm } from './soft-tpm.ts';
