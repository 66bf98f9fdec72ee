import type { z } from 'zod';
import type { StateStore } from './state-store.ts';

/**
 * readStored reads what plinthd wrote as JSON; undefined when it is not there. What is not of its shape is put aside for
 * people to look at, and is as if it were not there. Throws what the store throws.
 */
export async function readStored<T>(
  store: Pick<StateStore, 'read' | 'setAside'>,
  name: string,
  schema: z.ZodType<T>,
  onSetAside: () => void,
): Promise<T | undefined> {
  const bytes = await store.read(name);
  if (bytes === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    await store.setAside(name);
    onSetAside();
    return undefined;
  }
}
