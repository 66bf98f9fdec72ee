import { nodeOptions } from '../client/node-options.ts';
import { defineCommand } from '../framework/command.ts';
import { consentOption } from '../framework/consent.ts';
import { rest, text } from '../framework/options.ts';
import { timeSpan } from '../framework/time-span.ts';

export const accessLoginCommand = defineCommand({
  path: ['access', 'login'],
  summary: 'Log in at the issuer that nodes name, and get a short certificate of each',
  details: [
    'Shows an address and a code to enter there with any browser. Each node gives a certificate',
    'that it alone accepts; it ends by itself, and when plinthd of the node starts anew.',
  ],
  examples: [
    { run: 'plinth access login', what: 'to the current node' },
    { run: 'plinth access login n1 n2', what: 'one login for both' },
    {
      run: 'plinth access login n1 --endpoint 192.0.2.7:7546 --fingerprint sha256:8f3c…',
      what: 'a node this client does not know yet',
    },
  ],
  options: {
    endpoint: text('ADDRESS:PORT', 'Where the API of a new node answers'),
    fingerprint: text('SHA256', 'Its certificate, as its console shows it'),
    ttl: timeSpan({ min: '1m', max: '24h', fallback: '24h' }, 'How long at most; nodes may give less'),
    yes: consentOption,
    timeout: nodeOptions.timeout,
  },
  args: { names: { ...rest('NAME', 'Contexts; default: the current one'), several: true } },
  run: async ({ args, options }, context) => {
    const { logIn } = await import('../access/login.ts');
    return logIn(args.names, options, context);
  },
});
