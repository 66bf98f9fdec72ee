const PATH = /^\/[A-Za-z0-9._~/-]*$/;

/**
 * mirrorUrlProblem tells why a text is not the address of a mirror in its one spelling; undefined when it is. The text
 * stands in a file of containerd's, and two spellings of one address would not be seen as the same.
 */
export function mirrorUrlProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) return 'expected a URL: https://mirror.example';
  if (url.protocol !== 'https:') return 'expected https: images and passwords are not sent in the clear';
  if (url.username !== '' || url.password !== '') return 'expected no credentials in a URL';
  if (url.search !== '' || url.hash !== '') return 'expected a URL without query and fragment';
  const path = pathOf(url);
  if (path !== '' && !PATH.test(path)) return 'expected a path of letters, digits and . _ ~ - /';
  const spelling = `https://${url.host}${path}`;
  return text === spelling ? undefined : `expected the URL as ${spelling}`;
}

/** hasPath tells whether the address names the place of the API on its server. */
export function hasPath(url: string): boolean {
  return pathOf(new URL(url)) !== '';
}

function pathOf({ pathname }: URL): string {
  return pathname.replaceAll(/\/{2,}/g, '/').replace(/\/$/, '');
}
