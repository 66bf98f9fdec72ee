import { keyFolder, keyOptions } from '../flows/key-folder.ts';
import { defineCommand } from '../framework/command.ts';
import { plainText, table } from '../output/blocks.ts';

export const accessListCommand = defineCommand({
  path: ['access', 'list'],
  summary: 'Show which certificates were issued, until when, and which are revoked',
  examples: [
    { run: 'plinth access list', what: 'all that have not expired' },
    { run: 'plinth access list -o json', what: 'for a script' },
  ],
  options: { keys: keyOptions.keys },
  args: {},
  run: async ({ options }, { env }) => {
    const { readLedger } = await import('../access/ledger.ts');
    const { isRevoked } = await import('../access/revoke.ts');
    const ledger = await readLedger(keyFolder(options, env));
    const issued = ledger.issued.map((each) => ({ ...each, revoked: isRevoked(ledger, each) }));
    const stateOf = ({ revoked, expiresAt }: (typeof issued)[number]) =>
      revoked ? 'revoked' : Date.parse(expiresAt) <= Date.now() ? 'expired' : 'valid';
    return {
      data: { version: ledger.version, issued, revoked: ledger.revoked },
      names: issued.map(({ name }) => name),
      view: [
        table<(typeof issued)[number]>(
          [
            { header: 'NAME', value: ({ name }) => name },
            { header: 'ROLE', value: ({ role }) => role.replace('plinth:', '') },
            { header: 'STATE', value: stateOf },
            { header: 'EXPIRES', value: ({ expiresAt }) => expiresAt.slice(0, 16) },
            { header: 'FINGERPRINT', value: ({ fingerprint }) => fingerprint.slice(0, 23) },
          ],
          issued,
          'No certificate was issued with these keys.',
        ),
        ...(ledger.version > 0
          ? [plainText(`List of revocations: version ${ledger.version}, ${ledger.revoked.length} entries.`)]
          : []),
      ],
    };
  },
});
