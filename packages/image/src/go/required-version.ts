import { PlinthError } from '@plinth/base';

/**
 * requiredVersion finds which version of a module a go.mod requires, without its "v" (Go Modules Reference, "require").
 * @param file the name to show in messages
 * @throws go/components-invalid when it requires none, or something that is no release
 */
export function requiredVersion(goMod: string, modulePath: string, file: string): string {
  for (const line of goMod.split('\n')) {
    const [path, version] = line
      .replace(/\/\/.*$/, '')
      .replace(/^\s*require\s+/, '')
      .trim()
      .split(/\s+/);
    if (path !== modulePath) continue;
    const match = /^v(\d+\.\d+\.\d+)$/.exec(version ?? '');
    if (match?.[1] !== undefined) return match[1];
    if (version === '=>') continue;
    throw new PlinthError(
      'go/components-invalid',
      `Cannot use ${file}: it requires ${modulePath} at "${version}", expected a release such as v1.2.3`,
    );
  }
  throw new PlinthError(
    'go/components-invalid',
    `Cannot use ${file}: it does not require ${modulePath}, expected it to`,
  );
}
