import type { ExitCode } from '@plinth/base';
import type { Block } from '../output/blocks.ts';

/** Forms that other programs define; only commands whose result is of that kind have them. */
const documentFormats = ['sarif', 'cyclonedx-vex', 'openvex'] as const;
export type DocumentFormat = (typeof documentFormats)[number];

export const commonFormats = ['table', 'json', 'yaml', 'wide', 'name'] as const;
export const outputFormats = [...commonFormats, ...documentFormats] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** What a command found, once as data and once for people. */
export interface CommandResult {
  /** Printed by -o json and -o yaml; plain JSON data, field names are part of the interface. */
  readonly data: unknown;
  /** Printed by -o table and -o wide. */
  readonly view: readonly Block[];
  /** Printed by -o name, one a line. */
  readonly names?: readonly string[];
  /** Printed by the forms that other programs define; made when asked for. */
  readonly document?: (format: DocumentFormat) => string;
  /** Default 0. */
  readonly exitCode?: ExitCode;
  /** Set by a command that ran another program in its place: that one wrote all there is, and this was its end. */
  readonly passedExitCode?: number;
}
