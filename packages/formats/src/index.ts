export type { DlopenDependency } from './elf/elf-notes.ts';
export type { GoBuildInfo, GoModule } from './elf/go-build-info.ts';
export { type ElfFile, readElf } from './elf/read-elf.ts';
