import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openToolbox } from '@plinth/toolbox';

// What `systemd-analyze security` says of each service of ours: 0 is closed, 10 is open. A change may lower a bar, and has to
// say why where it raises one.

const os = fileURLToPath(new URL('../../os/', import.meta.url));

/** Units by the most exposure they may have. Those that are not named have the bar of small units. */
const BARS: Readonly<Record<string, number>> = {
  // Everything that its work does not need is closed; see its comments for what has to stay open.
  'plinthd.service': 4.0,
  // Containers inherit what is closed for those that start them.
  'containerd.service': 9.4,
  'kubelet.service': 9.4,
  // Speak to the control plane only, and change nothing of the host.
  'plinth-etcd-restore.service': 4.9,
  'plinth-restart-control-plane.service': 4.9,
};
/** They work on mounts, boot variables and the folders of Kubernetes, for a moment; see os/units/plinth-.service.d. */
const SMALL_UNITS = 8.2;

suite('systemd-analyze security', () => {
  const exposures = new Map<string, number>();
  const files: string[] = [];

  before(async () => {
    const toolbox = await openToolbox();
    for (const folder of ['units', 'kubernetes/tree/usr/lib/systemd/system']) {
      const names = (await readdir(join(os, folder))).filter((name) => name.endsWith('.service'));
      files.push(...names);
      const binds = [
        // Drop-ins of the host's units are for those of the layer too.
        { host: join(os, 'units'), inside: '/mnt/root/usr/lib/systemd/system', readOnly: true },
        { host: join(os, folder), inside: '/mnt/root/etc/systemd/system', readOnly: true },
      ];
      const args = ['security', '--offline=yes', '--root=/mnt/root', '--no-pager', ...names];
      const { stdout } = await toolbox.run('systemd-analyze', args, { binds });
      for (const [, name = '', exposure] of stdout
        .toString()
        .matchAll(/Overall exposure level for (\S+): ([\d.]+)/g))
        exposures.set(name, Number(exposure));
    }
  });

  test('judges every service of ours', () => {
    assert.deepEqual([...exposures.keys()].sort(), files.sort());
    assert.ok(files.length > 15);
    for (const name of Object.keys(BARS)) assert.ok(exposures.has(name), `${name} is no unit of ours`);
  });

  test('finds none more exposed than its bar', () => {
    const above = [...exposures].filter(([name, exposure]) => exposure > (BARS[name] ?? SMALL_UNITS));
    assert.deepEqual(above, []);
  });
});
