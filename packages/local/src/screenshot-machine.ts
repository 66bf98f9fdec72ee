import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@plinth/host';
import { findRunningMachine } from './list-machines.ts';
import { machineFiles } from './machine-files.ts';
import { withMonitor } from './monitor.ts';

const MONITOR_TIMEOUT_MS = 30_000;

/**
 * screenshotMachine writes what the machine's screen shows to a PNG file.
 * @throws vm/not-found, vm/not-running, vm/monitor, host/io
 */
export async function screenshotMachine(
  name: string,
  targetPath: string,
  options: { readonly root?: string } = {},
): Promise<void> {
  const { folder } = await findRunningMachine(name, options.root);
  const source = join(folder, machineFiles.screenshot);
  try {
    await withMonitor(folder, machineFiles.monitorSocket, MONITOR_TIMEOUT_MS, (monitor) =>
      // QEMU runs in the machine's folder and may write nowhere else, so the picture is made there.
      monitor.execute('screendump', { filename: machineFiles.screenshot, format: 'png' }),
    );
    await writeFileAtomic(targetPath, await readFile(source));
  } finally {
    await rm(source, { force: true });
  }
}
