import type { StateStore } from '../../sys/state-store.ts';
import type { Sys } from '../../sys/sys.ts';
import { runTmpfiles } from '../../sys/tmpfiles.ts';
import { EXTENSIONS, FOLDER } from '../paths.ts';
import type { Units } from '../units/run-unit.ts';
import { type ChosenLayer, LINKS } from './layer-store.ts';

export const SYSEXT_UNIT = 'systemd-sysext.service';

export interface LayerSwitch {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly units: Units;
  /** How long to wait before a merge is tried again. */
  readonly mergePauseMs?: number;
}

/** renderChoice is the tmpfiles.d(5) text that leaves exactly one link, or none. */
export function renderChoice(choice: ChosenLayer, extensions: string = EXTENSIONS): string {
  const removed = (['drive', 'staged'] as const).filter((source) => source !== choice?.source);
  return [
    `d ${extensions} 0755 root root`,
    ...removed.map((source) => `r ${extensions}/${LINKS[source]}`),
    ...(choice ? [`L+ ${extensions}/${LINKS[choice.source]} - - - - ${choice.path}`] : []),
    '',
  ].join('\n');
}

/** chooseLayer makes a layer the one that is merged, from the next merge on. @throws kubernetes/unit-failed */
export async function chooseLayer({ sys, store }: LayerSwitch, choice: ChosenLayer): Promise<void> {
  await runTmpfiles(sys, store, {
    name: `${FOLDER}/layer.conf`,
    text: renderChoice(choice),
    task: 'choose a layer',
    code: 'kubernetes/unit-failed',
  });
}
