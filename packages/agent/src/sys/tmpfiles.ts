import { type ErrorCode, PlinthError } from '@plinth/base';
import { SYSTEM_STATE } from './state-folder.ts';
import type { StateStore } from './state-store.ts';
import type { Sys } from './sys.ts';

export const SYSTEMD_TMPFILES = '/usr/bin/systemd-tmpfiles';

/** Lines of tmpfiles.d(5) and what they are for. */
export interface Tmpfiles {
  /** Name of their file in plinthd's store. */
  readonly name: string;
  readonly text: string;
  /** "choose a layer", for the error. */
  readonly task: string;
  readonly code: ErrorCode;
}

/**
 * runTmpfiles has systemd-tmpfiles do what plinthd cannot: the runtime refuses to make links while its permission model is
 * on and makes no pipes with names, and the node has no ln and no mkfifo. @throws the given code
 */
export async function runTmpfiles(
  sys: Pick<Sys, 'run'>,
  store: Pick<StateStore, 'write'>,
  { name, text, task, code }: Tmpfiles,
): Promise<void> {
  await store.write(name, Buffer.from(text));
  const path = `${SYSTEM_STATE}/${name}`;
  const { exitCode, stderr } = await sys.run(SYSTEMD_TMPFILES, ['--create', '--remove', path]);
  if (exitCode === 0) return;
  throw new PlinthError(
    code,
    `Cannot ${task}: systemd-tmpfiles ended with ${exitCode}: ${stderr.trim().slice(-500)}, expected 0`,
  );
}
