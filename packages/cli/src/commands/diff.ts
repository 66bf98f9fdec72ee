import { resolve } from 'node:path';
import { exitCodes } from '@plinth/base';
import type { Change } from '@plinth/image';
import { defineCommand } from '../framework/command.ts';
import { flag, required } from '../framework/options.ts';
import { plainText, table } from '../output/blocks.ts';
import { formatBytes } from '../output/units.ts';

export const diffCommand = defineCommand({
  path: ['diff'],
  summary: 'Show what differs between two releases',
  details: ['Packages, units, kernel options, setuid files, open ports, sizes; files are counted.'],
  examples: [
    { run: 'plinth diff plinth_0.1.0 plinth_0.2.0', what: 'what an update brings' },
    { run: 'plinth diff A B --files', what: 'every file as well' },
    { run: 'plinth diff A B --exit-code -q', what: 'in a script: 3 when they differ' },
  ],
  options: {
    files: flag('List every file that differs'),
    exitCode: flag('End with 3 when there is a difference'),
  },
  args: { from: required('A', 'Release folder'), to: required('B', 'Release folder') },
  run: async ({ args, options }) => {
    const { diffReleases, isSameContent } = await import('@plinth/image');
    const diff = await diffReleases(resolve(args.from), resolve(args.to));
    const same = isSameContent(diff);
    const rows = [
      ...rowsOf('package', diff.packages),
      ...rowsOf('unit', diff.units),
      ...rowsOf('kernel', diff.kernelConfig),
      ...rowsOf('setuid', diff.setuid),
      ...rowsOf('port', diff.ports),
      ...rowsOf('size', diff.sizes.map(readableSizes)),
      ...(options.files ? rowsOf('file', diff.files) : []),
    ];
    return {
      data: diff,
      view: [
        table(
          [
            { header: 'NAME', value: (row) => row.what },
            { header: 'KIND', value: (row) => row.kind },
            { header: 'CHANGE', value: changeWord },
            { header: 'FROM', value: (row) => row.from ?? '' },
            { header: 'TO', value: (row) => row.to ?? '' },
          ],
          rows,
          same ? 'The releases have the same content.' : 'Only files differ; --files lists them.',
        ),
        plainText(
          `${diff.from} to ${diff.to}: ${diff.packages.length} packages, ${diff.files.length} files differ`,
        ),
      ],
      exitCode: options.exitCode && !same ? exitCodes.findings : exitCodes.ok,
    };
  },
});

type Row = Change & { readonly kind: string };

function rowsOf(kind: string, changes: readonly Change[]): Row[] {
  return changes.map((change) => ({ kind, ...change }));
}

function changeWord({ from, to }: Change): 'added' | 'removed' | 'changed' {
  if (from === undefined) return 'added';
  return to === undefined ? 'removed' : 'changed';
}

function readableSizes({ what, from, to }: Change): Change {
  return {
    what,
    ...(from === undefined ? {} : { from: formatBytes(Number(from)) }),
    ...(to === undefined ? {} : { to: formatBytes(Number(to)) }),
  };
}
