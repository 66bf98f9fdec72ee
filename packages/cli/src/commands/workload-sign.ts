import { resolve } from 'node:path';
import { keyOptions } from '../flows/key-folder.ts';
import { defineCommand } from '../framework/command.ts';
import { required, textOr } from '../framework/options.ts';
import { facts, table } from '../output/blocks.ts';
import { formatBytes, shortenHash } from '../output/units.ts';

export const workloadSignCommand = defineCommand({
  path: ['workload', 'sign'],
  summary: 'Sign the layers of a container image for nodes of level "signed"',
  details: [
    'Each layer becomes an EROFS image with its dm-verity hash tree and a signature that the',
    'kernels of nodes with these keys accept, as a referrer; the image keeps its digest.',
    'Nodes of this version do not run this form by themselves yet.',
  ],
  extraFormats: ['wide'],
  examples: [
    { run: 'plinth workload sign app.tar', what: 'an OCI archive, to app.signed' },
    { run: 'plinth workload sign app/ --output /srv/app', what: 'an OCI layout' },
  ],
  options: { output: textOr('DIR', '', 'New folder; default: IMAGE.signed'), ...keyOptions },
  args: { image: required('IMAGE', 'OCI archive or layout') },
  run: async ({ args, options }, context) => {
    const { signImage } = await import('../flows/sign-image.ts');
    const source = resolve(args.image);
    const output = options.output === '' ? `${source.replace(/\.tar$/, '')}.signed` : resolve(options.output);
    const signed = await signImage({ ...options, source, output }, context);
    return {
      data: { folder: output, ...signed },
      view: [
        table(
          [
            { header: 'LAYER', value: ({ digest }) => shortenHash(digest.slice('sha256:'.length)) },
            { header: 'SIZE', value: ({ sizeBytes }) => formatBytes(sizeBytes), align: 'right' },
            { header: 'ROOT HASH', value: ({ rootHash }) => shortenHash(rootHash) },
            { header: 'WHOLE HASH', value: ({ rootHash }) => rootHash, wide: true },
          ],
          signed.layers,
        ),
        facts([
          ['image', signed.digest],
          ['signatures', signed.bundleDigest],
          ['folder', output],
        ]),
      ],
    };
  },
});
