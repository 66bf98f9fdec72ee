import type { Diagnostic } from '@plinth/base';
import type { allKinds, MachineConfig } from '@plinth/config';
import { defineCommand } from '../framework/command.ts';
import { several } from '../framework/options.ts';
import { table } from '../output/blocks.ts';

export const configValidateCommand = defineCommand({
  path: ['config', 'validate'],
  summary: 'Check machine configs as a node would',
  details: [
    'Tells every problem with its line and column. Nothing is contacted.',
    'User data for a cloud is read as a node reads it: #cloud-config, Ignition, MIME multipart, gzip.',
  ],
  examples: [
    { run: 'plinth config validate node-1.yaml', what: 'one file' },
    { run: 'plinth config validate node-1.yaml node-2.yaml', what: 'several, each a config of its own' },
    { run: 'plinth config validate user-data.ign', what: 'what a cloud is to hand to a node' },
  ],
  options: {},
  args: { files: several('FILE', 'A machine config, or user data that holds one') },
  run: async ({ args: { files } }) => {
    const { allKinds, readUserData } = await import('@plinth/config');
    const { configRefused, readConfigBytes } = await import('../config/read-config.ts');
    const problems: Diagnostic[] = [];
    const rows: { file: string; node: string; kinds: readonly string[] }[] = [];
    for (const file of files) {
      const parsed = readUserData(await readConfigBytes(file), file);
      if (parsed.ok)
        rows.push({
          file,
          node: parsed.value.config.machine.name,
          kinds: kindsOf(parsed.value.config, allKinds),
        });
      else problems.push(...parsed.diagnostics);
    }
    const wrong = files.length - rows.length;
    if (problems.length > 0)
      throw configRefused(
        files.length === 1 ? files.join() : `${wrong} of ${files.length} configs`,
        problems,
      );
    return {
      data: rows,
      view: [
        table(
          [
            { header: 'FILE', value: (row) => row.file },
            { header: 'NODE', value: (row) => row.node },
            { header: 'KINDS', value: (row) => row.kinds.join(', ') },
          ],
          rows,
        ),
      ],
    };
  },
});

function kindsOf(config: MachineConfig, kinds: typeof allKinds): readonly string[] {
  return kinds
    .filter(({ property }) => [config[property as keyof MachineConfig] ?? []].flat().length > 0)
    .map(({ kind }) => kind);
}
