import { manyNodeOptions } from '../client/many-options.ts';
import { nodeOptions } from '../client/node-options.ts';
import { trustOption } from '../flows/trust-option.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, maybeSeveral, text } from '../framework/options.ts';

export const attestCommand = defineCommand({
  path: ['attest'],
  summary: 'Have the TPM of a node prove what it booted',
  details: ['Ends with 3 unless that is one of the releases, on the enrolled machine.'],
  extraFormats: ['wide'],
  examples: [
    { run: 'plinth attest --enrol', what: 'a machine of "plinth up", the first time' },
    { run: 'plinth attest out/plinth_0.1.0', what: 'from then on' },
  ],
  options: {
    enrol: flag('Remember its TPM and firmware if it is not known'),
    replace: flag('With --enrol: take its TPM or firmware for new'),
    older: flag('Let it run an older release than before'),
    events: flag('List what is as expected too'),
    ekAuthority: text('FILE', 'Authorities of TPM makers that must vouch for it'),
    ...trustOption,
    context: nodeOptions.context,
    timeout: nodeOptions.timeout,
    ...manyNodeOptions,
  },
  args: { releases: maybeSeveral('RELEASE', 'Releases it may run: folders, or a repository') },
  run: async ({ options, args }, context) => {
    const { showAttestation } = await import('../attest/show-attestation.ts');
    const { showOnNodes } = await import('../client/show-on-nodes.ts');
    return showOnNodes({ ...options, releases: args.releases }, context, (one) =>
      showAttestation(one, context),
    );
  },
});
