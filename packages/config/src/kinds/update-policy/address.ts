/** addressProblem tells why a text is not an address that plinthd fetches from; undefined when it is. Pure. */
export function addressProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol))
    return 'expected an address of HTTP: https://updates.example/plinth';
  if (url.username !== '' || url.password !== '') return 'expected no credentials in an address';
  if (url.hash !== '') return 'expected an address without a fragment';
  return undefined;
}
