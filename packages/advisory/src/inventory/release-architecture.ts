const DEBIAN: Readonly<Record<string, string>> = { 'x86-64': 'amd64', arm64: 'arm64' };

/** debianArchitecture gives Debian's name of an architecture of a release: "x86-64" is "amd64". */
export function debianArchitecture(release: string): string {
  return DEBIAN[release] ?? release;
}

/** releaseArchitecture gives the name that files of releases have: "amd64" is "x86-64". */
export function releaseArchitecture(debian: string): string {
  return Object.entries(DEBIAN).find(([, name]) => name === debian)?.[0] ?? debian;
}
