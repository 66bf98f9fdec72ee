import { keyOptions } from '../flows/key-folder.ts';
import { defineCommand } from '../framework/command.ts';
import { choice, flag, list, textOr } from '../framework/options.ts';
import { facts, nextCommands, plainText, table } from '../output/blocks.ts';
import { formatBytes } from '../output/units.ts';

/** How a person names a form of the disk, and what the file is called. */
const formats = {
  raw: 'raw.zst',
  qcow2: 'qcow2',
  vhd: 'vhd',
  vmdk: 'vmdk',
  gce: 'gce.tar.gz',
} as const;
const formatNames = [
  'raw',
  'qcow2',
  'vhd',
  'vmdk',
  'gce',
] as const satisfies readonly (keyof typeof formats)[];

export const buildCommand = defineCommand({
  path: ['build'],
  summary: 'Build the image and write its release folder',
  details: ['--check builds a second time under other circumstances and compares bit by bit.'],
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth build', what: 'to out/plinth_VERSION' },
    { run: 'plinth build --formats raw,vhd --output /srv', what: 'only what a cloud takes' },
    { run: 'plinth build --check --frozen', what: 'in CI: reproducible and pinned' },
  ],
  options: {
    check: flag('Prove that the build is reproducible'),
    formats: list(formatNames, formatNames, 'Forms of the disk'),
    output: textOr('DIR', 'out', 'Folder that receives the release folder'),
    execute: choice(['audit', 'signed', 'open'], 'What may execute (os/ipe)'),
    frozen: flag('Take the committed locks or fail'),
    ...keyOptions,
  },
  args: {},
  run: async ({ options }, context) => {
    const { buildRelease } = await import('../flows/build-release.ts');
    const chosen = options.formats.map((name) => formats[name]);
    const release = await buildRelease({ ...options, formats: chosen, outDir: options.output }, context);
    const { manifest, folder, differences, statements } = release;
    const isSame = differences === undefined || differences.length === 0;
    return {
      data: {
        folder,
        manifest,
        ...(statements ? { statements } : {}),
        ...(differences === undefined ? {} : { differences }),
      },
      names: manifest.artefacts.map(({ name }) => name),
      view: [
        table(
          [
            { header: 'NAME', value: (file) => file.name },
            { header: 'SIZE', value: (file) => formatBytes(file.sizeBytes), align: 'right' },
            { header: 'SHA256', value: (file) => file.sha256, wide: true },
          ],
          manifest.artefacts,
        ),
        facts([
          ['release', `${manifest.name} ${manifest.version}`],
          ['folder', folder],
          ['root hash', manifest.rootHash],
          ['packages', String(manifest.packages.count)],
          ...(statements
            ? [
                [
                  'statements',
                  `${statements.held.length} hold, ${statements.reopened.length} do not, ${statements.unknown.length} unknown`,
                ] as const,
              ]
            : []),
          ...(differences === undefined
            ? []
            : [['reproducible', isSame ? 'yes: two builds, the same bytes' : 'no'] as const]),
        ]),
        ...(statements && statements.reopened.length + statements.unknown.length > 0
          ? [
              plainText(
                [...statements.reopened, ...statements.unknown]
                  .map(
                    ({ id, outcome: { holds, detail } }) =>
                      `${id}: ${holds === 'no' ? 'open again' : 'unknown'}, ${detail}`,
                  )
                  .join('\n'),
              ),
            ]
          : []),
        ...(isSame ? [] : [plainText(differences.map(({ path, state }) => `${path}: ${state}`).join('\n'))]),
        nextCommands([
          [`plinth verify ${folder}`, 'check every link of it'],
          [`plinth inspect ${folder}`, 'what it is'],
        ]),
      ],
      exitCode: isSame ? 0 : 1,
    };
  },
});
