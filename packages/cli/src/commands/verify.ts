import { trustOption } from '../flows/trust-option.ts';
import { defineCommand } from '../framework/command.ts';
import { required } from '../framework/options.ts';
import { facts, plainText, table } from '../output/blocks.ts';
import type { Style } from '../output/style.ts';

export const verifyCommand = defineCommand({
  path: ['verify'],
  summary: 'Check every link of a release or a disk, offline',
  details: ['Ends with 1 unless all links pass. Without certificates signatures are "unknown".'],
  extraFormats: ['wide'],
  examples: [
    { run: 'plinth verify out/plinth_0.1.0', what: 'a release folder' },
    { run: 'plinth verify disk.raw --trust certs', what: "a disk, by somebody's certificates" },
  ],
  options: trustOption,
  args: { subject: required('RELEASE|DISK', 'Release folder, or disk image (raw, raw.zst)') },
  run: async ({ args, options }, context) => {
    const { verifySubject } = await import('../flows/verify-subject.ts');
    const report = await verifySubject(args.subject, options.trust, context);
    return {
      data: report,
      view: [
        table(
          [
            { header: 'NAME', value: (check) => check.id },
            {
              header: 'VERDICT',
              value: (check) => check.verdict,
              mark: (check, style) => markOf(check.verdict, style),
            },
            { header: 'FOUND', value: (check) => check.detail },
            { header: 'WHAT', value: (check) => check.title, wide: true },
          ],
          report.checks,
        ),
        facts([
          ['subject', report.subject],
          ['verdict', markOf(report.verdict, context.style)(report.verdict)],
        ]),
        ...(report.firstBroken
          ? [plainText(`First broken link: ${report.firstBroken.title}: ${report.firstBroken.detail}`)]
          : []),
      ],
      exitCode: report.verdict === 'pass' ? 0 : 1,
    };
  },
});

function markOf(verdict: 'pass' | 'fail' | 'unknown', style: Style): (text: string) => string {
  return verdict === 'pass' ? style.good : verdict === 'fail' ? style.bad : style.doubtful;
}
