import type { RecordComponent } from '../../model/index.ts';

/**
 * componentPurl names a component as a package URL: a source package of Debian, a Go module, a package of npm.
 * @param codename Debian's release, "trixie"; empty when it is not known
 */
export function componentPurl(
  { ecosystem, name, version }: Pick<RecordComponent, 'ecosystem' | 'name' | 'version'>,
  codename: string,
): string {
  if (ecosystem === 'debian') {
    const distro = codename === '' ? '' : `&distro=${encode(codename)}`;
    return `pkg:deb/debian/${encode(name)}@${encode(version)}?arch=source${distro}`;
  }
  const type = ecosystem === 'go' ? 'golang' : 'npm';
  return `pkg:${type}/${name.split('/').map(encode).join('/')}@${encode(version)}`;
}

/** The specification of package URLs escapes whatever is not unreserved, but for the colon. */
function encode(text: string): string {
  const escaped = encodeURIComponent(text).replaceAll('%3A', ':');
  return escaped.replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** withoutVersion is a package URL of all versions: what OSV names a package by. */
export function withoutVersion(purl: string): string {
  return purl.replace(/@[^?]*/, '');
}
