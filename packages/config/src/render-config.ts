import { unreachable } from '@plinth/base';
import type { RenderedFile } from './framework/kind.ts';
import { compareText } from './framework/notes.ts';
import { allKinds, heldBy, type MachineConfig } from './machine-config.ts';

/**
 * renderConfig turns a config into the files that systemd and the other services read, sorted by path. Equal configs
 * give equal bytes. A file of the image that a config may replace is always among them, so a plan never has to bring
 * back what the image had.
 */
export function renderConfig(config: MachineConfig): readonly RenderedFile[] {
  const files = allKinds.flatMap((kind) => kind.render(heldBy(config, kind) as never));
  const sorted = files.toSorted((a, b) => compareText(a.path, b.path));
  const twice = sorted.find(({ path }, index) => sorted[index + 1]?.path === path);
  return twice ? unreachable(`two kinds that render ${twice.path}`) : sorted;
}
