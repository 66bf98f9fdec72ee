/**
 * Short names of the machine-readable copyright format 1.0, in lower case, as SPDX identifiers. Only names that mean one text:
 * "BSD", "LGPL" without a version and what a maintainer coined are not here.
 */
const IDENTIFIERS: ReadonlyMap<string, string> = new Map([
  ['expat', 'MIT'],
  ['apache-2', 'Apache-2.0'],
  ['artistic', 'Artistic-1.0'],
  ['cc0', 'CC0-1.0'],
  ...[
    ...['0BSD', 'AFL-2.1', 'Apache-2.0', 'Artistic-1.0', 'Artistic-2.0', 'BSD-2-Clause', 'BSD-3-Clause'],
    ...['BSD-4-Clause', 'BSL-1.0', 'CC0-1.0', 'CC-BY-3.0', 'CC-BY-4.0', 'CC-BY-SA-3.0', 'CC-BY-SA-4.0'],
    ...['Beerware', 'curl', 'FSFAP', 'FSFUL', 'FSFULLR', 'FTL', 'HPND', 'ISC', 'Latex2e', 'MIT-CMU'],
    ...['MPL-1.1', 'MPL-2.0', 'OLDAP-2.8', 'OpenSSL', 'Python-2.0', 'Sleepycat', 'Unicode-3.0'],
    ...['Unicode-DFS-2016', 'Unlicense', 'WTFPL', 'X11', 'Zlib'],
  ].map((id): [string, string] => [id.toLowerCase(), id]),
]);
const EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  ['linux-syscall-note', 'Linux-syscall-note'],
  ['bison', 'Bison-exception-2.2'],
  ['autoconf', 'Autoconf-exception-2.0'],
  ['texinfo', 'Texinfo-exception'],
]);
/** Versions that exist, with the one that has a name for "only" and "or later" in SPDX. */
const GNU = /^(a?gpl|lgpl|gfdl)-(\d)(?:\.(\d))?(?:\.0)?(\+?)$/;
const GNU_VERSIONS: Readonly<Record<string, readonly string[]>> = {
  gpl: ['1.0', '2.0', '3.0'],
  lgpl: ['2.0', '2.1', '3.0'],
  agpl: ['1.0', '3.0'],
  gfdl: ['1.1', '1.2', '1.3'],
};
/** No sound copyright file is longer; the kernel's is near 200 KiB. */
const COPYRIGHT_LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * licenceOf gives the SPDX expression of all licences that a Debian copyright file states for its files (DEP-5,
 * "machine-readable debian/copyright file"). Undefined when the file is not of that format or one licence is not known
 * for certain: half an expression would say that the rest does not apply.
 */
export function licenceOf(copyright: string): string | undefined {
  if (copyright.length > COPYRIGHT_LIMIT_BYTES) return undefined;
  const paragraphs = copyright.replaceAll('\r', '').split(/\n[ \t]*\n/);
  if (!/^Format: *\S*(copyright-format\/1\.0|dep5|dep-5)/im.test(paragraphs[0] ?? '')) return undefined;
  const expressions = new Set<string>();
  for (const paragraph of paragraphs) {
    if (!/^Files:/im.test(paragraph)) continue;
    const expression = expressionOf(/^License:[ \t]*(.*)$/im.exec(paragraph)?.[1] ?? '');
    if (expression === undefined) return undefined;
    expressions.add(expression);
  }
  if (expressions.size === 0) return undefined;
  const parts = [...expressions].sort();
  return parts.map((part) => (parts.length > 1 && / OR /.test(part) ? `(${part})` : part)).join(' AND ');
}

/** One License field: "and" binds more than "or", a comma before "and" binds less ("A or B, and C"). */
function expressionOf(field: string): string | undefined {
  const text = field.trim();
  if (text === '' || /[()|]/.test(text)) return undefined;
  const groups = text.split(/, +and +/i).map((group) => {
    const choices = group
      .split(/,? +or +/i)
      .map((choice) => joined(choice.split(/ +and +/i).map(simple), 'AND'));
    return joined(choices, 'OR');
  });
  if (groups.length === 1) return groups[0];
  return joined(
    groups.map((group) => (group?.includes(' OR ') ? `(${group})` : group)),
    'AND',
  );
}

function joined(parts: readonly (string | undefined)[], operator: 'AND' | 'OR'): string | undefined {
  const known = parts.filter((part) => part !== undefined);
  return known.length === parts.length ? [...new Set(known)].join(` ${operator} `) : undefined;
}

/** "GPL-2+ with Bison exception", "Expat". */
function simple(name: string): string | undefined {
  const [, base = '', exception] = /^(\S+?)(?: +with +(.+?)(?: +exception)?)?$/i.exec(name.trim()) ?? [];
  const id = IDENTIFIERS.get(base.toLowerCase()) ?? gnu(base.toLowerCase());
  if (id === undefined || exception === undefined) return id;
  const known = EXCEPTIONS.get(exception.toLowerCase());
  return known === undefined ? undefined : `${id} WITH ${known}`;
}

function gnu(name: string): string | undefined {
  const [, family = '', major, minor = '0', later] = GNU.exec(name) ?? [];
  const version = `${major}.${minor}`;
  if (!GNU_VERSIONS[family]?.includes(version)) return undefined;
  return `${family.toUpperCase()}-${version}-${later === '+' ? 'or-later' : 'only'}`;
}
