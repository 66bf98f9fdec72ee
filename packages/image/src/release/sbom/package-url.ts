/**
 * packageUrl writes a package URL (purl specification): the one name by which scanners know a package.
 * Every part is percent-encoded except the colon, which the specification leaves as it is.
 */
export function packageUrl(
  type: 'deb' | 'golang' | 'npm' | 'generic',
  name: string,
  version: string,
  qualifiers: Readonly<Record<string, string>> = {},
): string {
  // purl-types: names of Go modules are lower case.
  const path = (type === 'golang' ? name.toLowerCase() : name).split('/').map(encode).join('/');
  const query = Object.entries(qualifiers)
    .map(([key, value]) => `${key}=${encode(value)}`)
    .sort()
    .join('&');
  return `pkg:${type}/${path}@${encode(version)}${query === '' ? '' : `?${query}`}`;
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':');
}
