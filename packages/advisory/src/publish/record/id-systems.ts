import { schemeOf } from '../../model/index.ts';

const SYSTEMS: Readonly<Record<string, string>> = {
  cve: 'CVE',
  ghsa: 'GitHub Security Advisories',
  go: 'Go Vulnerability Database',
  dsa: 'Debian Security Advisories',
  dla: 'Debian LTS Advisories',
  temp: 'Debian security tracker',
  osv: 'OSV',
  plinth: 'Plinth Security Advisories',
  update: 'Plinth updates without an identifier',
};

/** systemOf names whose identifier it is, for people. */
export function systemOf(id: string): string {
  return SYSTEMS[schemeOf(id) ?? ''] ?? 'other';
}

/** isCve tells a CVE identifier from the others: most formats have a field for it alone. */
export function isCve(id: string): boolean {
  return schemeOf(id) === 'cve';
}
