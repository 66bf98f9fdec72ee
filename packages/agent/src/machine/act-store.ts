import { readStored } from '../sys/read-stored.ts';
import type { StateStore } from '../sys/state-store.ts';
import { type MachineAct, machineActSchema } from './machine-act.ts';

const NAME = 'machine/act.json';

/** readAct gives the stored act, undefined when there is none. One that cannot be read is set aside, and `say` hears of it. */
export async function readAct(
  store: StateStore,
  say: (line: string) => void,
): Promise<MachineAct | undefined> {
  return readStored(store, NAME, machineActSchema, () =>
    say(`machine: ${NAME} is unreadable and was set aside [machine/state-unreadable]`),
  );
}

/** writeAct replaces the stored act. */
export async function writeAct(store: StateStore, act: MachineAct): Promise<void> {
  await store.write(NAME, Buffer.from(`${JSON.stringify(act, undefined, 2)}\n`));
}
