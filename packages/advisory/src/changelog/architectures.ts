/** How changelogs write architectures → Debian's names for them. */
const NAMES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^(?:amd64|x86[-_]64)$/i, ['amd64']],
  [/^(?:i386|x86[-_]32)$/i, ['i386']],
  [/^x86$/i, ['amd64', 'i386']],
  [/^(?:arm64|aarch64)$/i, ['arm64']],
  [/^(?:armhf|armel|arm32|armhf|armv7)$/i, ['armhf', 'armel']],
  [/^(?:ppc64el|ppc64le|powerpc|ppc64|ppc)$/i, ['ppc64el']],
  [/^(?:s390x?|s390)$/i, ['s390x']],
  [/^(?:risc-?v|riscv64)$/i, ['riscv64']],
  [/^(?:loong(?:arch|64|arch64))$/i, ['loong64']],
  [/^(?:mips|mips32|mips64|mips64el|mipsel)$/i, ['mips64el', 'mipsel']],
];
const WORD = '[A-Za-z][A-Za-z0-9_-]{2,11}';
/** "[arm64,s390x] KVM: …", as Debian's kernel changelog marks what is for some architectures only. */
const TAG = new RegExp(`^\\[(${WORD}(?:[,/ ]+${WORD})*)\\] `);
/** "ARM64/RISC-V only", "only on s390x", "only affects arm64". */
const ONLY = new RegExp(
  `\\b(${WORD}(?:(?:[/,]| and | or )\\s*${WORD})*)[ -]only\\b|\\bonly (?:on|affects?|for) (?:the )?(${WORD}(?:(?:[/,]| and | or )\\s*${WORD})*)`,
);

/**
 * architecturesOf tells which architectures a bullet limits its flaw to, in Debian's names, sorted; undefined when it
 * limits nothing, or names anything that is not surely an architecture.
 */
export function architecturesOf(text: string): readonly string[] | undefined {
  const match = TAG.exec(text) ?? ONLY.exec(text);
  const words = (match?.[1] ?? match?.[2])?.split(/[/,\s]+|\band\b|\bor\b/).filter((word) => word !== '');
  if (!words || words.length === 0) return undefined;
  const names: string[] = [];
  for (const word of words) {
    const known = NAMES.find(([pattern]) => pattern.test(word));
    if (!known) return undefined;
    names.push(...known[1]);
  }
  return [...new Set(names)].sort();
}
