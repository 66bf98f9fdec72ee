import { stringify } from 'yaml';
import type { CommandResult, OutputFormat } from '../framework/result.ts';
import { renderBlocks } from './blocks.ts';
import type { Style } from './style.ts';

/** formatResult writes a command's result in the form asked for. */
export function formatResult(
  result: CommandResult,
  format: OutputFormat,
  terminal: { readonly style: Style; readonly widthChars?: number | undefined },
): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(result.data, null, 2)}\n`;
    case 'yaml':
      return stringify(result.data);
    case 'name':
      return (result.names ?? []).map((name) => `${name}\n`).join('');
    case 'sarif':
    case 'cyclonedx-vex':
    case 'openvex':
      return result.document?.(format) ?? '';
    case 'table':
    case 'wide':
      return renderBlocks(result.view, { ...terminal, wide: format === 'wide' });
  }
}
