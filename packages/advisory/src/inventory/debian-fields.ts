import type { SourceVersion } from '../model/index.ts';

const NAME = /^[a-z0-9][a-z0-9+.-]{0,199}$/;
const VERSION = /^[0-9][A-Za-z0-9.+:~-]{0,199}$/;

/** isPackageName tells a name that Debian policy 5.6.1 allows (packages of one letter are read too). */
export function isPackageName(text: string): boolean {
  return NAME.test(text);
}

/** isPackageVersion tells a version that Debian policy 5.6.12 allows. */
export function isPackageVersion(text: string): boolean {
  return VERSION.test(text);
}

/** parseSourceField reads "linux-signed-amd64 (6.12.117+1)"; without it the binary's own name and version count. */
export function parseSourceField(field: string, name: string, version: string): SourceVersion {
  const [, source = name, sourceVersion = version] = /^(\S+)(?:\s+\((\S+)\))?$/.exec(field.trim()) ?? [];
  // A rebuild of the binary alone has a version the source never had (Debian policy 5.6.12.1: "+bN").
  const plain = sourceVersion === version ? withoutRebuild(version) : sourceVersion;
  return { source, version: plain };
}

/** withoutRebuild drops the mark of a rebuild: "1:1.3.dfsg-1+b2" → "1:1.3.dfsg-1". */
export function withoutRebuild(version: string): string {
  return version.replace(/\+b\d{1,4}$/, '');
}

/** parseBuiltUsing reads "golang-1.24 (= 1.24.4-1), linux (= 6.12.117-1)" (Debian policy 7.8); other forms give nothing. */
export function parseBuiltUsing(field: string): SourceVersion[] {
  return field.split(',').flatMap((entry) => {
    const [, source = '', version = ''] = /^\s*(\S+)\s+\(=\s*(\S+)\)\s*$/.exec(entry) ?? [];
    return isPackageName(source) && isPackageVersion(version) ? [{ source, version }] : [];
  });
}
