import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PlinthError } from '@plinth/base';
import { type VerifyReport, verifyDisk, verifyRelease } from '@plinth/image';
import { openToolbox } from '@plinth/toolbox';
import type { CommandContext } from '../framework/context.ts';
import { openAnchors } from './trust-anchors.ts';
import { useLock } from './use-lock.ts';

/** verifySubject checks a release folder, or a disk by itself. @throws release/not-found, trust/…, host/… */
export async function verifySubject(
  path: string,
  trust: string | undefined,
  context: CommandContext,
): Promise<VerifyReport> {
  const { progress, signal } = context;
  const subject = resolve(path);
  const anchors = await openAnchors(trust, context.env);
  const trusted = anchors === undefined ? {} : { trusted: anchors };
  if (!(await isFolder(subject))) {
    return progress.step('Check the disk', () => verifyDisk(subject, { ...trusted, signal }));
  }
  const toolbox = await progress.step('Open the toolbox', (step) =>
    useLock('toolbox', { frozen: false }, context, step, (lockDir) =>
      openToolbox({ lockDir, progress: step, signal }),
    ),
  );
  return progress.step('Check the release', (step) =>
    verifyRelease(subject, { ...trusted, toolbox, progress: step, signal }),
  );
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (reason) {
    throw PlinthError.from(reason, 'release/not-found', `Cannot look at ${path}`);
  }
}
