import { colourChoices } from '../output/style.ts';
import { progressChoices } from '../progress/create-renderer.ts';
import { choice, flag, type ValuesOf } from './options.ts';
import { commonFormats, outputFormats } from './result.ts';

/** Options every command takes, before or after its name. `o` has no long form: --output names a folder in build. */
export const globalOptions = {
  // Forms of single commands stand on their own pages only.
  o: {
    ...choice(outputFormats, 'Form of the result on standard output'),
    placeholder: commonFormats.join('|'),
  },
  quiet: flag('Hide progress; warnings and errors stay'),
  progress: choice(progressChoices, 'How progress is shown on standard error'),
  color: choice(colourChoices, 'Colours; NO_COLOR, FORCE_COLOR and TERM=dumb are honoured'),
} as const;

export type GlobalValues = ValuesOf<typeof globalOptions>;

/** How each one is written for the parser. */
export const globalFlags: Readonly<Record<keyof typeof globalOptions, string>> = {
  o: '-o <FORMAT>',
  quiet: '-q, --quiet',
  progress: '--progress <HOW>',
  color: '--color <WHEN>',
};
