import { nodeOptions } from '../client/node-options.ts';
import { consentOption } from '../framework/consent.ts';
import { choice, flag, text } from '../framework/options.ts';
import { timeSpan } from '../framework/time-span.ts';

/** Options of every command that changes the machine config of a node. */
export const changeOptions = {
  mode: choice(['auto', 'staged', 'try'], 'How it takes effect; default: what the plan says'),
  confirmWithin: timeSpan({ min: '10s', max: '1h', fallback: '2m' }, 'Time of a trial'),
  reason: text('TEXT', 'Why, for the history'),
  noConfirm: flag('Leave confirming it to "plinth config confirm"'),
  yes: consentOption,
  context: nodeOptions.context,
  timeout: nodeOptions.timeout,
};
