import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { ioError } from '@plinth/host';
import { expectNewFile, saveNewFile } from '../client/save-new-file.ts';
import { useMember } from '../cluster/observe-cluster.ts';
import type { CommandContext } from '../framework/context.ts';
import { formatBytes } from '../output/units.ts';

/** A database of gigabytes over a slow line. */
const TRANSFER_TIMEOUT_MS = 60 * 60_000;

/**
 * saveSnapshot writes a snapshot to a new file, whole or not at all, readable for its owner only.
 * @returns its size in bytes
 * @throws cli/usage when the file exists; api/…, host/disk-full, host/io
 */
export async function saveSnapshot(name: string, path: string, context: CommandContext): Promise<number> {
  await expectNewFile(path);
  return context.progress.step(`Read the database of node "${name}"`, (step) =>
    useMember(name, context, TRANSFER_TIMEOUT_MS, (node) =>
      saveNewFile(path, node.etcd.snapshot(TRANSFER_TIMEOUT_MS), (written) =>
        step.note(formatBytes(written)),
      ),
    ),
  );
}

/**
 * restoreSnapshot replaces the database of a cluster by a snapshot.
 * @param confirm the node's name, typed by a person
 * @returns revision of the database
 * @throws api/…, host/io
 */
export async function restoreSnapshot(
  name: string,
  path: string,
  confirm: string,
  context: CommandContext,
): Promise<bigint> {
  const { size } = await stat(path).catch((reason) => {
    throw ioError(reason, `read ${path}`);
  });
  return context.progress.step(`Restore the database on node "${name}"`, (step) =>
    useMember(name, context, TRANSFER_TIMEOUT_MS, async (node) => {
      const snapshot = {
        sizeBytes: size,
        content: createReadStream(path),
        onProgress: (sent: number) => step.note(`${formatBytes(sent)} of ${formatBytes(size)}`),
      };
      return (await node.etcd.restore(confirm, snapshot, TRANSFER_TIMEOUT_MS)).revision;
    }),
  );
}
