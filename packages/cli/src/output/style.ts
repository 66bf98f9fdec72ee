import { styleText } from 'node:util';

export const colourChoices = ['auto', 'always', 'never'] as const;
export type ColourChoice = (typeof colourChoices)[number];

/** Marks text by meaning, not by colour; without colour every mark is the text itself. */
export interface Style {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly doubtful: (text: string) => string;
  readonly active: (text: string) => string;
}

type Format = Parameters<typeof styleText>[0];

/** createStyle gives 4-bit colours that follow the terminal's own theme, or none. */
export function createStyle(coloured: boolean): Style {
  const mark = (format: Format) => (text: string) =>
    coloured && text !== '' ? styleText(format, text, { validateStream: false }) : text;
  return {
    strong: mark('bold'),
    faint: mark('dim'),
    good: mark('green'),
    bad: mark('red'),
    doubtful: mark('yellow'),
    active: mark('cyan'),
  };
}

/** Whether to colour one stream: flag over FORCE_COLOR over NO_COLOR over TERM=dumb over being a terminal. */
export function wantsColour(
  choice: ColourChoice,
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  if (choice !== 'auto') return choice === 'always';
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  if (env['NO_COLOR']) return false;
  if (env['TERM'] === 'dumb') return false;
  return isTerminal;
}
