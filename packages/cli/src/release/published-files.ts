import { type Block, table } from '../output/blocks.ts';
import { formatBytes } from '../output/units.ts';

/** publishedFiles shows which files of a release are where it was published, and which were there before. */
export function publishedFiles(
  files: readonly { readonly name: string; readonly sizeBytes: number; readonly isNew: boolean }[],
): Block {
  return table(
    [
      { header: 'NAME', value: (file) => file.name },
      { header: 'SIZE', value: (file) => formatBytes(file.sizeBytes), align: 'right' },
      { header: 'STATE', value: (file) => (file.isNew ? 'new' : 'was there') },
    ],
    files,
  );
}
