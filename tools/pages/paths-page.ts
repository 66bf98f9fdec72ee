import { pathTable } from '@plinth/agent';
import { readDocument } from '@plinth/base';
import { readRepoFile } from '../repo-files.ts';
import { markdownTable, page } from './page.ts';

const kinds = {
  'erofs-verity': 'verified image (EROFS on dm-verity)',
  overlay: 'overlay: image below, memory above',
  disk: 'file system on the data partition',
  esp: 'EFI system partition',
  tmpfs: 'memory',
  devices: 'devices',
  kernel: 'interface of the kernel',
  automount: 'mounted while someone looks',
  workload: 'made by containerd for containers',
} as const;

/** pathsPage documents what each path of a running node is. */
export function pathsPage(): string {
  const table = readDocument(readRepoFile('os/paths.yaml'), 'os/paths.yaml', pathTable, 'config/invalid');
  if (!table.ok) throw new Error(table.diagnostics.map(({ message }) => message).join('\n'));
  const rows = table.value.paths.map((rule) => [
    `\`${rule.path}\``,
    kinds[rule.kind],
    rule.writable ? 'yes' : 'no',
    rule.persistent ? 'yes' : 'no',
    rule.flags.join(', ') || 'none',
    rule.mounted,
    rule.why,
  ]);
  return page(
    'Paths of a node',
    'os/paths.yaml',
    'plinthd judges every mount of the host by this table, see `plinth get integrity --mounts`. A mount without a rule here is a fault.',
    markdownTable(
      ['Path', 'What', 'Writable', 'Survives a reboot', 'Required flags', 'Mounted', 'Why'],
      rows,
    ),
  );
}
