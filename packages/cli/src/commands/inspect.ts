import { resolve } from 'node:path';
import { defineCommand } from '../framework/command.ts';
import { required } from '../framework/options.ts';
import { facts, nextCommands, table } from '../output/blocks.ts';
import { formatBytes } from '../output/units.ts';

export const inspectCommand = defineCommand({
  path: ['inspect'],
  summary: 'Show what a release is and what lies in it',
  details: ['Nothing is checked here; that is "plinth verify".'],
  extraFormats: ['wide'],
  examples: [
    { run: 'plinth inspect out/plinth_0.1.0', what: 'facts and artefacts' },
    { run: 'plinth inspect out/plinth_0.1.0 -o json', what: 'all of it' },
  ],
  options: {},
  args: { release: required('RELEASE', 'Release folder') },
  run: async ({ args }) => {
    const { inspectRelease } = await import('@plinth/image');
    const release = await inspectRelease(resolve(args.release));
    const sizes = Object.entries(release.sizes).map(([name, size]) => `${name} ${formatBytes(size)}`);
    // Sockets in the file system start with "/"; what is left can be reached from outside.
    const network = release.ports.filter((port) => !port.startsWith('/'));
    return {
      data: release,
      view: [
        table(
          [
            { header: 'NAME', value: (file) => file.name },
            { header: 'SIZE', value: (file) => formatBytes(file.sizeBytes), align: 'right' },
            { header: 'TYPE', value: (file) => file.mediaType, wide: true },
            { header: 'SHA256', value: (file) => file.sha256, wide: true },
          ],
          release.artefacts,
        ),
        facts([
          ['release', `${release.name} ${release.version} (${release.architecture})`],
          ['made', release.created],
          ['root hash', release.rootHash],
          ['kernel', release.kernelVersion],
          ['plinthd', release.agentVersion],
          ['executes', describeLevel(release.execute)],
          ['packages', String(release.packageCount)],
          ['files', String(release.fileCount)],
          ['sizes', sizes.join(', ')],
          ['setuid files', release.setuidFiles.join(', ') || '<none>'],
          ['network ports', network.join(', ') || '<none>'],
          ['local sockets', String(release.ports.length - network.length)],
          ['signed by', [...new Set(release.certificates.map(({ subject }) => subject))].join('; ')],
        ]),
        nextCommands([
          [`plinth verify ${args.release}`, 'check every link of it'],
          [`plinth sbom ${args.release}`, 'what it is made of'],
        ]),
      ],
    };
  },
});

/** What a level of os/ipe means, in a line. */
function describeLevel(level: string): string {
  const meanings: Readonly<Record<string, string>> = {
    audit: 'everything; the node tells what is not of signed volumes (level audit)',
    signed: 'only what lies on signed volumes (level signed)',
    open: 'everything (level open)',
  };
  return meanings[level] ?? '<not said>';
}
