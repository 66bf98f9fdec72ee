import type { RenderedFile } from '../../framework/kind.ts';
import { compareText } from '../../framework/notes.ts';
import type { Sysctls } from './schema.ts';

/** After 50-plinth.conf of the image: of two files with one setting the later name counts (sysctl.d(5)). */
export const SYSCTLS_PATH = '/run/sysctl.d/60-plinth-config.conf';

/** renderSysctls gives the file for systemd-sysctl; none when no setting is changed. */
export function renderSysctls(sysctls: Sysctls | undefined): readonly RenderedFile[] {
  const lines = sysctlLines(sysctls);
  if (lines.length === 0) return [];
  const text = `${lines.map(([key, value]) => `${key} = ${value}`).join('\n')}\n`;
  return [{ path: SYSCTLS_PATH, mode: 0o644, text, secret: false }];
}

/** sysctlLines are the settings as the kernel takes them, by key; several numbers stand in one text. */
export function sysctlLines(
  sysctls: Sysctls | undefined,
): readonly (readonly [key: string, value: string])[] {
  return Object.entries(sysctls?.settings ?? {})
    .flatMap(([key, value]): [string, string][] =>
      value === undefined ? [] : [[key, [value].flat().join(' ')]],
    )
    .toSorted(([a], [b]) => compareText(a, b));
}
