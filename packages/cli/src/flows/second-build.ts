// The program behind "plinth build --check": builds into a stage cache of its own and leaves the paths in build.json.
// Arguments: folder, folder of the keys, frozen, what may execute ("": as os/plinth.yaml says), file with the keys'
// passphrase (optional).
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { openStageCache, writeFileAtomic } from '@plinth/host';
import { executeLevels } from '@plinth/image';
import { onInterrupt } from '../framework/interrupt.ts';
import { createStyle } from '../output/style.ts';
import { createProgress } from '../progress/events.ts';
import { createPlainRenderer } from '../progress/plain-renderer.ts';
import { buildDisk } from './build-disk.ts';

process.umask(0o077);
const [folder = '', keys, frozen, level, passphraseFile] = process.argv.slice(2);
const renderer = createPlainRenderer(process.stderr);
const { signal, dispose } = onInterrupt();
try {
  const { image } = await buildDisk(
    {
      ...{ keys, passphraseFile, frozen: frozen === 'true', cache: openStageCache(join(folder, 'stages')) },
      execute: executeLevels.find((each) => each === level),
    },
    {
      progress: createProgress(renderer.on, () => performance.now(), signal),
      signal,
      env: process.env,
      style: createStyle(false),
      writeOut: () => {},
      ...{ format: 'table', isTerminal: false },
      say: () => {},
      confirm: async () => undefined,
      suspendProgress: (work) => work(),
    },
  );
  const { root, initrdPath, bootDir, diskPath, tree } = image;
  const paths = { root, initrdPath, bootDir, diskPath, tree: { root: tree.root } };
  await writeFileAtomic(join(folder, 'build.json'), JSON.stringify(paths));
} catch (reason) {
  const { code, message } = PlinthError.from(reason, 'internal/bug', 'Cannot build');
  process.stderr.write(`${code}: ${message}\n`);
  process.exitCode = 1;
}
dispose();
