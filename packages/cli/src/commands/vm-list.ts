import { defineCommand } from '../framework/command.ts';
import { table } from '../output/blocks.ts';
import { formatDuration } from '../output/units.ts';

export const vmListCommand = defineCommand({
  path: ['vm', 'list'],
  summary: 'List the machines on this computer',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth vm list', what: 'name, state, firmware, API, age' },
    { run: 'plinth vm list -o wide', what: 'with image and folder of each' },
  ],
  options: {},
  args: {},
  run: async () => {
    const { listMachines } = await import('@plinth/local');
    const rows = (await listMachines()).map(({ name, state, folder, reason, record }) => ({
      name,
      state,
      ...(reason === undefined ? {} : { reason }),
      firmware: record.firmware,
      accelerator: record.accelerator,
      api: `127.0.0.1:${record.apiPort}`,
      startedAt: record.startedAt,
      disk: record.base.path,
      folder,
    }));
    return {
      data: rows,
      names: rows.map(({ name }) => name),
      view: [
        table(
          [
            { header: 'NAME', value: (row) => row.name },
            {
              header: 'STATE',
              value: (row) => row.state,
              mark: (row, style) =>
                row.state === 'running' ? style.good : row.state === 'dead' ? style.bad : style.faint,
            },
            { header: 'FIRMWARE', value: (row) => row.firmware },
            { header: 'ACCEL', value: (row) => row.accelerator },
            { header: 'API', value: (row) => (row.state === 'running' ? row.api : '') },
            { header: 'DISK', value: (row) => row.disk, wide: true },
            { header: 'FOLDER', value: (row) => row.folder, wide: true },
            { header: 'AGE', value: (row) => formatDuration(Date.now() - Date.parse(row.startedAt)) },
          ],
          rows,
          'There is no machine. "plinth up" makes one.',
        ),
      ],
    };
  },
});
