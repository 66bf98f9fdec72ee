import type { OutputStream } from '../framework/context.ts';
import type { Style } from '../output/style.ts';
import type { ProgressRenderer } from './events.ts';
import { createJsonRenderer } from './json-renderer.ts';
import { createPlainRenderer } from './plain-renderer.ts';
import { createTreeRenderer } from './tree-renderer.ts';

export const progressChoices = ['auto', 'plain', 'json'] as const;
export type ProgressChoice = (typeof progressChoices)[number];

export interface RendererOptions {
  readonly choice: ProgressChoice;
  readonly quiet: boolean;
  readonly style: Style;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** createRenderer picks how progress is shown: a tree on a terminal, lines elsewhere, JSON or nothing on request. */
export function createRenderer(stream: OutputStream, options: RendererOptions): ProgressRenderer {
  const { choice, quiet, style, env } = options;
  if (choice === 'json') return createJsonRenderer(stream);
  if (quiet) return quietRenderer(stream, style);
  if (choice === 'plain' || !stream.isTTY || env['TERM'] === 'dumb') return createPlainRenderer(stream);
  return createTreeRenderer(stream, { style, unicode: showsUnicode(env), nowMs: () => performance.now() });
}

/** Quiet hides progress, not warnings. */
function quietRenderer(stream: OutputStream, style: Style): ProgressRenderer {
  return {
    on: (event) => {
      if (event.type === 'warning') stream.write(`${style.doubtful('warning')}: ${event.text}\n`);
    },
    close: () => {},
    suspend: (work) => work(),
  };
}

/** locale(7): LC_ALL over LC_CTYPE over LANG. The Linux console has no glyphs for the spinner. */
function showsUnicode(env: RendererOptions['env']): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return /utf-?8/i.test(locale) && env['TERM'] !== 'linux';
}
