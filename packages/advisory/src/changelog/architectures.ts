import { findIds } from './find-ids.ts';

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
/** "CVE-1 (ARM64/RISC-V only)" and "CVE-1: …, only affects s390x": said of the flaw, at the end of the bullet. */
const ONLY = new RegExp(
  `[,(]\\s*(?:(${WORD}(?:(?:[/,]| and | or )\\s*${WORD})*) only|only affects (${WORD}(?:(?:[/,]| and | or )\\s*${WORD})*))\\W*$`,
  'i',
);
/** Then what is "only" there may be the fix, its build or its test: the flaw is everywhere else. */
const ABOUT_THE_FIX =
  /\b(?:appl(?:y|ied|ies)|enabl\w*|disabl\w*|skip\w*|build\w*|built|compil\w*|run\w*|tests?|testsuite|not|until|before|seen|mitigat\w*)\b/i;

/**
 * architecturesOf tells which architectures a bullet limits its flaw to, in Debian's names, sorted; undefined when it
 * limits nothing, or names anything that is not surely an architecture.
 */
export function architecturesOf(text: string): readonly string[] | undefined {
  const match = TAG.exec(text) ?? limitedFlaw(text);
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

/** A bullet with several flaws does not tell which of them it limits. */
function limitedFlaw(text: string): RegExpExecArray | null {
  return ABOUT_THE_FIX.test(text) || findIds(text).length !== 1 ? null : ONLY.exec(text);
}
