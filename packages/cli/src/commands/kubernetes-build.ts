import { keyOptions } from '../flows/key-folder.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, integer, text } from '../framework/options.ts';
import { table } from '../output/blocks.ts';
import { formatBytes } from '../output/units.ts';

export const kubernetesBuildCommand = defineCommand({
  path: ['kubernetes', 'build'],
  summary: 'Build the signed Kubernetes layers',
  details: [
    'Compiles what go/ pins, which takes minutes the first time, and packs it into system extensions.',
    'Modules come from $PLINTH_GOPROXY, or from what "go env" says on this machine.',
  ],
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth kubernetes build', what: 'every version of os/kubernetes/layer.yaml' },
    { run: 'plinth kubernetes build --versions 1.37 --jobs 1', what: 'one of them, in the background' },
    { run: 'plinth kubernetes build --output out/layers', what: 'where "plinth cve" looks for papers' },
  ],
  options: {
    versions: text('LIST', 'Minor versions, separated by commas; default: all'),
    jobs: integer('N', { min: 0, max: 1024, fallback: 0 }, 'Processors to compile with; 0 for all'),
    output: text('DIR', 'Folder that receives layers and their papers; else in the cache'),
    frozen: flag('Take the committed locks or fail'),
    ...keyOptions,
  },
  args: {},
  run: async ({ options }, context) => {
    const { buildLayers } = await import('../flows/build-kubernetes.ts');
    const layers = await buildLayers(
      {
        ...options,
        minors: (options.versions ?? '').split(',').filter((minor) => minor !== ''),
        jobs: options.jobs === 0 ? undefined : options.jobs,
      },
      context,
    );
    const { copyLayers } = await import('../flows/copy-layers.ts');
    const built = [...layers.values()];
    const rows = options.output === undefined ? built : await copyLayers(built, options.output);
    return {
      data: rows,
      names: rows.map(({ path }) => path),
      view: [
        table(
          [
            { header: 'KUBERNETES', value: ({ manifest }) => manifest.kubernetes },
            { header: 'SIZE', value: ({ sizeBytes }) => formatBytes(sizeBytes), align: 'right' },
            { header: 'ROOT HASH', value: ({ rootHash }) => rootHash, wide: true },
            { header: 'FILE', value: ({ path }) => path },
            { header: 'PAPERS', value: ({ papersPath }) => papersPath, wide: true },
          ],
          rows,
        ),
      ],
    };
  },
});
