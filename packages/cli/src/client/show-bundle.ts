import { exitCodes } from '@plinth/base';
import type { WrittenBundle } from '../flows/write-support-bundle.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { formatBytes } from '../output/units.ts';

/** showBundle says what was written, and what is missing from it: that is exit code 5. */
export function showBundle(bundle: WrittenBundle): CommandResult {
  const { path, sizeBytes, encrypted, recipients, manifest } = bundle;
  const failed = manifest.parts.flatMap((part) => (part.state === 'failed' ? [part] : []));
  const missing = table(
    [
      { header: 'MISSING', value: (part) => part.path },
      { header: 'WHY', value: (part) => printable(part.reason) },
    ],
    failed,
  );
  return {
    data: { path, sizeBytes, encrypted, recipients, ...manifest },
    names: [path],
    ...(failed.length > 0 && { exitCode: exitCodes.partial }),
    view: [
      ...(failed.length > 0 ? [missing] : []),
      facts([
        ['parts', `${manifest.parts.length - failed.length} of ${manifest.parts.length}`],
        ['size', formatBytes(sizeBytes)],
        ['readable by', encrypted ? recipients.join(', ') : 'EVERYBODY WHO GETS IT: it is not encrypted'],
      ]),
      plainText(path),
    ],
  };
}
