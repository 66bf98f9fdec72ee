import type { StateStore } from '../sys/state-store.ts';
import { type MachineAct, machineActSchema } from './machine-act.ts';

const NAME = 'machine/act.json';

/** readAct gives the stored act, undefined when there is none. One that cannot be read is set aside, and `say` hears of it. */
export async function readAct(
  store: StateStore,
  say: (line: string) => void,
): Promise<MachineAct | undefined> {
  const bytes = await store.read(NAME);
  if (!bytes) return undefined;
  try {
    return machineActSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    say(`machine: ${NAME} is unreadable and was set aside [machine/state-unreadable]`);
    await store.setAside(NAME);
    return undefined;
  }
}

/** writeAct replaces the stored act. */
export async function writeAct(store: StateStore, act: MachineAct): Promise<void> {
  await store.write(NAME, Buffer.from(`${JSON.stringify(act, undefined, 2)}\n`));
}
