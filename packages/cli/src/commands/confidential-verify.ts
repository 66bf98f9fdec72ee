import { defineCommand } from '../framework/command.ts';
import { required, text } from '../framework/options.ts';

export const confidentialVerifyCommand = defineCommand({
  path: ['confidential', 'verify'],
  summary: 'Judge the attestation report of a confidential guest (SEV-SNP, TDX)',
  details: [
    'Ends with 3 unless its processor vouches for it and it is what is expected.',
    'Tested on recorded reports; on no such processor.',
  ],
  examples: [
    { run: 'plinth confidential verify quote.bin --measurement 5b38…', what: 'TDX' },
    { run: 'plinth confidential verify report.bin --chain vcek.pem', what: 'SEV-SNP' },
  ],
  options: {
    measurement: text('HEX', 'What it has to be started from: MEASUREMENT or MRTD'),
    reportData: text('HEX', 'The challenge that it has to have signed along'),
    chain: text('FILE', 'VCEK, ASK and ARK, PEM; a TDX quote brings its own'),
  },
  args: { report: required('REPORT', 'Attestation report or quote, as the guest got it') },
  run: async ({ options, args }) => {
    const { verifyGuest } = await import('../attest/verify-guest.ts');
    return verifyGuest(args.report, options);
  },
});
