import { resolve } from 'node:path';
import { keyFolder, keyOptions, readPassphrase } from '../flows/key-folder.ts';
import { defineCommand } from '../framework/command.ts';
import { choice, required } from '../framework/options.ts';
import { table } from '../output/blocks.ts';

export const keysExportCommand = defineCommand({
  path: ['keys', 'export'],
  summary: 'Write the public halves of the keys for others to trust',
  details: [
    'Private keys are never written. "auth" is what firmware enrols.',
    '"root" is what nodes believe updates by; "gpg" what systemd-sysupdate of other systems does.',
  ],
  extraFormats: ['name'],
  examples: [
    { run: 'plinth keys export certificates', what: 'PEM, one file a certificate' },
    { run: 'plinth keys export enrol --as auth', what: 'PK, KEK and db for UEFI firmware' },
  ],
  options: {
    as: choice(['pem', 'der', 'esl', 'auth', 'root', 'gpg'], 'What to write (default: pem)'),
    ...keyOptions,
  },
  args: { dir: required('DIR', 'Where to write') },
  run: async ({ args, options }, { env }) => {
    const { exportKeys } = await import('@plinth/trust');
    const { exportSumsKey, exportTrustedRoot } = await import('@plinth/publish');
    const [folder, dir, form] = [keyFolder(options, env), resolve(args.dir), options.as ?? 'pem'];
    const ofUpdates = { root: exportTrustedRoot, gpg: exportSumsKey };
    const written =
      form === 'root' || form === 'gpg'
        ? [await ofUpdates[form](folder, dir)]
        : await exportKeys(folder, dir, form, await readPassphrase(options, env));
    return {
      data: written,
      names: written,
      view: [table([{ header: 'FILE', value: (path: string) => path }], written)],
    };
  },
});
