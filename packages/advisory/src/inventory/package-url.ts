/** A package URL (purl specification) in its parts, decoded. */
export interface PackageUrl {
  readonly type: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly qualifiers: Readonly<Record<string, string>>;
}

const LIMIT_CHARACTERS = 2_000;

/** parsePackageUrl reads "pkg:deb/debian/zlib1g@1:1.3?arch=amd64"; undefined when it is none. */
export function parsePackageUrl(text: string): PackageUrl | undefined {
  if (text.length > LIMIT_CHARACTERS) return undefined;
  const match = /^pkg:([A-Za-z][A-Za-z0-9.+-]*)\/([^@?#]+)(?:@([^?#]*))?(?:\?([^#]*))?(?:#.*)?$/.exec(text);
  if (!match) return undefined;
  const [, type = '', path = '', version = '', query = ''] = match;
  try {
    const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
    const name = parts.pop();
    if (name === undefined) return undefined;
    const qualifiers = Object.fromEntries(
      query
        .split('&')
        .filter(Boolean)
        .map((pair) => {
          const [key = '', ...value] = pair.split('=');
          return [key.toLowerCase(), decodeURIComponent(value.join('='))];
        }),
    );
    const plain = decodeURIComponent(version);
    return { type: type.toLowerCase(), namespace: parts.join('/'), name, version: plain, qualifiers };
  } catch {
    // A stray percent sign: the specification forbids it, so this names no package.
    return undefined;
  }
}
