import { text } from '../framework/options.ts';

/** Option of every command that checks signatures. */
export const trustOption = {
  trust: text('DIR', 'Keys, or certificates of "plinth keys export"; default: your keys'),
} as const;
