export { type BlockReader, memoryReader } from './block-reader.ts';
export { ByteView, decodeText } from './byte-view.ts';
export { concatBytes, encodeText, fromHex, hex, sha256 } from './bytes.ts';
export { type CpioArchive, type CpioOther, readCpio } from './cpio/read-cpio.ts';
export { type CpioEntry, type CpioOptions, writeCpio } from './cpio/write-cpio.ts';
export { decodeGuid, encodeGuid } from './efi/guid.ts';
export {
  EFI_LIST_TYPES,
  type EfiListEntry,
  type EfiSignature,
  encodeEfiSignature,
  encodeSignatureLists,
  readEfiList,
  readSignatureLists,
} from './efi/signature-list.ts';
export type { DlopenDependency } from './elf/elf-notes.ts';
export type { GoBuildInfo, GoModule } from './elf/go-build-info.ts';
export { readGoFunctions } from './elf/go-functions.ts';
export { readImportedSymbols } from './elf/imported-symbols.ts';
export { type ElfFile, readElf } from './elf/read-elf.ts';
export { EROFS_LAYOUT, layOutErofs } from './erofs/lay-out-erofs.ts';
export { planDropName, type SectorWrite } from './fat/drop-name.ts';
export { type FatFiles, readFat } from './fat/read-fat.ts';
export { editGpt, type GptEdit, type GptWrite } from './gpt/edit-gpt.ts';
export { type GptTable, type GptTables, readGptTables } from './gpt/gpt-tables.ts';
export { partitionTypes } from './gpt/partition-types.ts';
export { type Gpt, type GptPartition, readGpt } from './gpt/read-gpt.ts';
export {
  type CapturedPacket,
  openPcapngReader,
  type PcapngReader,
  type PcapngSummary,
} from './pcapng/pcapng-reader.ts';
export { addPeSection } from './pe/add-pe-section.ts';
export { authenticodeDigest, type SignedBytes, signedBytes } from './pe/authenticode-digest.ts';
export {
  attachCertificate,
  readCertificates,
  readCertificateTable,
  removeCertificates,
} from './pe/certificate-table.ts';
export {
  type PeFile,
  type PeHead,
  type PeSection,
  readPe,
  readPeHead,
} from './pe/read-pe.ts';
export { readUki, type Uki } from './pe/read-uki.ts';
export { type TarEntry, type TarOptions, writeTar } from './tar/write-tar.ts';
export { extendPcr, type Measurement, PCR_RESET, replayPcr } from './tpm/pcr.ts';
export { encodePcrSignatures, type PcrSignature, pcrPolicyDigest } from './tpm/pcr-policy.ts';
export { measurePcr4, predictPcr4 } from './tpm/predict-pcr4.ts';
export {
  EFI_IMAGE_SECURITY_DATABASE,
  measurePcr7,
  predictPcr7,
  type SecureBootState,
} from './tpm/predict-pcr7.ts';
export { measurePcr9 } from './tpm/predict-pcr9.ts';
export {
  BOOT_PHASES,
  measurePcr11,
  measurePhases,
  type PcrAtPhase,
  predictPcr11,
  SEALING_PHASE,
} from './tpm/predict-pcr11.ts';
export { hexUuid, seededUuid } from './uuid.ts';
export { blockDigester, blockHasher } from './verity/block-hasher.ts';
export { makeVerity, type VerityDevice, veritySizeBytes } from './verity/make-verity.ts';
export {
  openBlocksChecker,
  readTree,
  type VerityTree,
  type VerityTreeVerdict,
  verifyTree,
} from './verity/verify-tree.ts';
export { type VerityVerdict, verifyVerity } from './verity/verify-verity.ts';
export {
  readSuperblock,
  VERITY_BLOCK_BYTES,
  VERITY_DIGEST_BYTES,
  type VerityHeader,
  type VerityLevel,
  verityLayout,
} from './verity/verity-layout.ts';
