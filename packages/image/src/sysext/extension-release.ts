/**
 * renderExtensionRelease says which images an extension fits, in the words of the image's own os-release: the same ID,
 * the same SYSEXT_LEVEL, the same architecture (os-release(5), "extension-release"; systemd-sysext(8) refuses others).
 * @param osRelease the text of the image's os-release
 */
export function renderExtensionRelease(
  osRelease: string,
  extension: { readonly name: string; readonly version: string },
): string {
  const fields = new Map(
    osRelease.split('\n').flatMap((line) => {
      const match = /^(ID|SYSEXT_LEVEL|ARCHITECTURE)=(.+)$/.exec(line);
      return match?.[1] === undefined ? [] : [[match[1], match[2] ?? ''] as const];
    }),
  );
  return [
    ...['ID', 'SYSEXT_LEVEL', 'ARCHITECTURE'].map((key) => `${key}=${fields.get(key) ?? ''}`),
    'SYSEXT_SCOPE=system',
    // New units are seen without a restart of the machine.
    'EXTENSION_RELOAD_MANAGER=1',
    `IMAGE_ID=${extension.name}`,
    `IMAGE_VERSION=${extension.version}`,
    '',
  ].join('\n');
}
