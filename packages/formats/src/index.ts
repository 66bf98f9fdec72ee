export { concatBytes, encodeText, fromHex, hex, sha256 } from './bytes.ts';
export { type CpioArchive, type CpioOther, readCpio } from './cpio/read-cpio.ts';
export { type CpioEntry, type CpioOptions, writeCpio } from './cpio/write-cpio.ts';
export type { DlopenDependency } from './elf/elf-notes.ts';
export type { GoBuildInfo, GoModule } from './elf/go-build-info.ts';
export { type ElfFile, readElf } from './elf/read-elf.ts';
