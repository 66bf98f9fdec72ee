import { resolve } from 'node:path';
import { changeContexts, contextsPath, parseContexts } from '../client/contexts-file.ts';
import { defineCommand } from '../framework/command.ts';
import { optional, text } from '../framework/options.ts';
import { usageError } from '../framework/usage-error.ts';
import { plainText } from '../output/blocks.ts';

export const configAddCommand = defineCommand({
  path: ['config', 'add'],
  summary: 'Add a node this client shall know, or change one',
  details: ['The node prints its fingerprint on its console when its API is up.'],
  examples: [
    {
      run: 'plinth config add n1 --fingerprint sha256:8f3c… --certificate c --key k',
      what: 'a new node; --endpoint is needed too',
    },
    { run: 'plinth config add n1 --endpoint 192.0.2.11:7546', what: 'it moved' },
    { run: 'plinth config add --bundle bob.plinth-access', what: 'the nodes of a file you were given' },
  ],
  options: {
    endpoint: text('ADDRESS:PORT', 'Where its API answers'),
    fingerprint: text('SHA256', 'Its certificate'),
    certificate: text('FILE', 'Client certificate, PEM'),
    key: text('FILE', 'Its private key, PEM; it stays where it is'),
    bundle: text('FILE', 'What "plinth access issue" made: nodes, certificate and key in one'),
  },
  args: { name: optional('NAME', 'Name of the context; none with --bundle') },
  run: async ({ args: { name }, options }, { env }) => {
    const path = contextsPath(env);
    if (options.bundle !== undefined) {
      if (name !== undefined) throw usageError('the names are in the file, expected no NAME with --bundle');
      const { addBundle } = await import('../access/add-bundle.ts');
      return addBundle(resolve(options.bundle), env);
    }
    if (name === undefined) throw usageError('NAME is missing, expected one, or --bundle');
    const file = await changeContexts(path, (before) => {
      const old = before.contexts[name];
      const context = {
        endpoint: options.endpoint ?? old?.endpoint,
        fingerprint: options.fingerprint ?? old?.fingerprint,
        certificate: options.certificate ? resolve(options.certificate) : old?.certificate,
        key: options.key ? resolve(options.key) : old?.key,
      };
      const missing = Object.entries(context).find(([, value]) => value === undefined);
      if (missing) throw usageError(`context "${name}" has no ${missing[0]} yet, expected --${missing[0]}`);
      const contexts = { ...before.contexts, [name]: context };
      // The same checks as for a file written by hand, so that nothing is stored that cannot be read again.
      return parseContexts(JSON.stringify({ ...before, current: before.current ?? name, contexts }), path);
    });
    return { data: { name, ...file.contexts[name] }, view: [plainText(`Context "${name}" is known.`)] };
  },
});
