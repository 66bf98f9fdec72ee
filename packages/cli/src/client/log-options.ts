import { choice, flag, short, text } from '../framework/options.ts';
import { manyNodeOptions } from './many-options.ts';
import { nodeOptions, reachTimeout } from './node-options.ts';

/** Names of priorities by their numbers, as syslog has them. */
export const priorities = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;

/** Options of every command that shows a log. */
export const logOptions = {
  context: nodeOptions.context,
  timeout: reachTimeout,
  ...manyNodeOptions,
  follow: short('f', flag('Go on as more is written, until Ctrl-C')),
  lines: short('n', text('NUMBER', 'The last so many, or "all"')),
  since: text('TIME', 'Nothing older: 15m, 2h, "2026-11-22 05:00"'),
  until: text('TIME', 'Nothing newer'),
  boot: text('NUMBER', 'Of one boot: 0 is this one, -1 the one before'),
  priority: { ...choice(priorities, 'Only what is this important: err, warning, …'), placeholder: 'LEVEL' },
  grep: text('PATTERN', 'Only what matches; plain text for containers'),
} as const;
