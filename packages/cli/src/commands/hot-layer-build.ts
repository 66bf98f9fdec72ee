import { keyOptions } from '../flows/key-folder.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, required, text, textOr } from '../framework/options.ts';
import { facts, nextCommands, plainText, table } from '../output/blocks.ts';
import { formatBytes } from '../output/units.ts';

export const hotLayerBuildCommand = defineCommand({
  path: ['hot-layer', 'build'],
  summary: 'Build the signed layer that fixes running nodes of a release',
  details: ['It holds what NEXT changed of libraries and daemons.'],
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth hot-layer build out/plinth_1.4.2 out/plinth_1.4.3', what: 'all that is hot' },
    { run: 'plinth hot-layer build A B --packages libssl3t64', what: 'of one package, or not at all' },
  ],
  options: {
    packages: text('LIST', 'Only these, or fail; separated by commas'),
    previous: text('FILE', 'Manifest of the layer before this one'),
    advisories: text('LIST', 'What it is for: ids of advisories and flaws'),
    output: textOr('DIR', 'out', 'Folder that receives image and manifest'),
    frozen: flag('Take the committed locks or fail'),
    ...keyOptions,
  },
  args: {
    base: required('BASE', 'Release folder that nodes run'),
    next: required('NEXT', 'Release folder that has the fixes'),
  },
  run: async ({ args, options }, context) => {
    const { makeHotLayer } = await import('../flows/make-hot-layer.ts');
    const built = await makeHotLayer({ ...options, ...args }, context);
    const { layer, leftOut, imagePath, rootHash, sizeBytes } = built;
    return {
      data: built,
      names: [imagePath],
      view: [
        table(
          [
            { header: 'PACKAGE', value: (fix) => fix.package },
            { header: 'FROM', value: (fix) => fix.from },
            { header: 'TO', value: (fix) => fix.to },
          ],
          layer.fixes,
        ),
        facts([
          ['base', `${layer.base.name} ${layer.base.version}`],
          ['serial', String(layer.serial)],
          ['files', `${layer.replaced.length} replaced, ${layer.added.length} added`],
          ['root hash', rootHash],
          ['file', `${imagePath} (${formatBytes(sizeBytes)})`],
        ]),
        ...(leftOut.length === 0
          ? []
          : [
              plainText(
                `Not hot, comes with the release:\n${leftOut
                  .map(
                    ({ package: name, reasons }) =>
                      `  ${name}: ${reasons[0]}${reasons.length > 1 ? ` (and ${reasons.length - 1} more)` : ''}`,
                  )
                  .join('\n')}`,
              ),
            ]),
        nextCommands([[`plinth hot-layer stage ${imagePath}`, 'bring it to a node']]),
      ],
    };
  },
});
