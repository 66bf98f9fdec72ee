import { contextsPath, readContexts } from '../client/contexts-file.ts';
import { defineCommand } from '../framework/command.ts';
import { table } from '../output/blocks.ts';
import { shortenHash } from '../output/units.ts';

export const configContextsCommand = defineCommand({
  path: ['config', 'contexts'],
  summary: 'List the nodes this client knows',
  details: ['Kept in $PLINTHCONFIG, else ~/.config/plinth/config. "plinth up" adds its machine.'],
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth config contexts', what: 'the current one is marked' },
    { run: 'plinth config contexts -o name', what: 'names only' },
  ],
  options: {},
  args: {},
  run: async (_input, { env }) => {
    const file = await readContexts(contextsPath(env));
    const rows = Object.entries(file.contexts)
      .map(([name, context]) => ({ name, current: name === file.current, ...context }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return {
      data: rows,
      names: rows.map(({ name }) => name),
      view: [
        table(
          [
            { header: 'NAME', value: (row) => row.name },
            { header: 'CURRENT', value: (row) => (row.current ? 'yes' : 'no') },
            { header: 'ENDPOINT', value: (row) => row.endpoint },
            { header: 'FINGERPRINT', value: (row) => shortenHash(row.fingerprint.replace('sha256:', '')) },
            { header: 'CERTIFICATE', value: (row) => row.certificate, wide: true },
          ],
          rows,
          'No node is known. "plinth up" starts one, "plinth config add" names one.',
        ),
      ],
    };
  },
});
