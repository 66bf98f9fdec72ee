import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { removeTree } from '@plinth/host';
import type { Toolbox } from '@plinth/toolbox';
import { parseJson } from '@plinth/updates';
import { z } from 'zod';
import { hashTree, scanTree } from '../../scan-tree.ts';
import type { Slot } from '../disk/disk-layout.ts';
import { fail, type Outcome, pass } from './check.ts';

const spdxSchema = z.looseObject({
  files: z.array(
    z.looseObject({
      fileName: z.string().startsWith('./'),
      checksums: z.array(z.looseObject({ algorithm: z.string(), checksumValue: z.string() })),
    }),
  ),
});

/**
 * checkSbom unpacks the root file system and compares its files with the SBOM: each listed once, with its digest,
 * and none listed that is not there.
 * @param diskPath raw disk
 */
export async function checkSbom(
  spdxText: string,
  diskPath: string,
  slot: Slot,
  toolbox: Toolbox,
): Promise<Outcome> {
  const parsed = spdxSchema.safeParse(parseJson(spdxText));
  if (!parsed.success) return fail('the SPDX document cannot be read');
  const listed = new Map(
    parsed.data.files.map(({ fileName, checksums }) => [
      fileName.slice(1),
      checksums.find(({ algorithm }) => algorithm === 'SHA256')?.checksumValue,
    ]),
  );
  const folder = await mkdtemp(join(tmpdir(), 'plinth-root-'));
  try {
    await toolbox.run(
      'fsck.erofs',
      [
        `--offset=${slot.root.offsetBytes}`,
        '--extract=/mnt/out/root',
        '--no-preserve',
        `/mnt/disk/${basename(diskPath)}`,
      ],
      {
        binds: [
          { host: dirname(diskPath), inside: '/mnt/disk', readOnly: true },
          { host: folder, inside: '/mnt/out' },
        ],
      },
    );
    const { entries } = await hashTree(await scanTree(join(folder, 'root'), new Map()));
    const files = entries.filter(({ kind }) => kind === 'file');
    const problems = [
      ...files
        .filter(({ path, sha256 }) => listed.get(path) !== sha256)
        .map(({ path }) => `${path} is not in it, or with another digest`),
      ...[...listed.keys()]
        .filter((path) => !files.some((file) => file.path === path))
        .map((path) => `${path} is in it, but not in the root`),
    ];
    if (problems.length > 0)
      return fail(`${problems.length} files differ: ${problems.slice(0, 5).join('; ')}`);
    return pass(`${files.length} files, each listed with its digest`);
  } finally {
    await removeTree(folder);
  }
}
