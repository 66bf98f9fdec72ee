import { resolve } from 'node:path';
import { defineCommand } from '../framework/command.ts';
import { choice, required } from '../framework/options.ts';
import { plainText, table } from '../output/blocks.ts';

export const sbomCommand = defineCommand({
  path: ['sbom'],
  summary: 'Show the bill of materials of a release',
  examples: [
    { run: 'plinth sbom out/plinth_0.1.0', what: 'packages, modules, kernel' },
    { run: 'plinth sbom out/plinth_0.1.0 --as spdx > s.json', what: 'the document, for a scanner' },
    { run: 'plinth sbom out/plinth_0.1.0 --as cyclonedx', what: 'the same in CycloneDX' },
  ],
  options: { as: choice(['spdx', 'cyclonedx'], 'Print the whole document as it is in the release') },
  args: { release: required('RELEASE', 'Release folder') },
  run: async ({ args, options }) => {
    const { listComponents, readSbom } = await import('../flows/read-sbom.ts');
    const { text, document } = await readSbom(resolve(args.release), options.as ?? 'spdx');
    if (options.as !== undefined) return { data: document, view: [plainText(text)] };
    const components = listComponents(document);
    return {
      data: components,
      view: [
        table(
          [
            { header: 'NAME', value: (component) => component.name },
            { header: 'VERSION', value: (component) => component.version },
            { header: 'PURL', value: (component) => component.purl },
          ],
          components,
        ),
      ],
    };
  },
});
