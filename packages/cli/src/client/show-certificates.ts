import { type Certificate, ListCertificatesResponseSchema, messageData } from '@plinth/api';
import { exitCodes } from '@plinth/base';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { table } from '../output/blocks.ts';
import type { Style } from '../output/style.ts';
import { type AskOptions, askNode } from './ask-node.ts';
import { isoTime } from './iso-time.ts';
import { emptyText, notObservedBlock } from './system-cells.ts';

const DAY_MS = 24 * 60 * 60_000;
/** All are renewed long before. */
const SOON_DAYS = 14;

/** showCertificates asks a node for its certificates, the first to end first. @throws cli/context-missing, api/… */
export async function showCertificates(
  options: AskOptions & { readonly exitCode: boolean },
  context: CommandContext,
): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.system.certificates());
  const ending = answer.certificates.some((one) => daysLeft(one) < SOON_DAYS);
  const unsure = answer.notObserved.length > 0;
  return {
    data: messageData(ListCertificatesResponseSchema, answer),
    names: answer.certificates.map(({ path, purpose }) => path || purpose),
    view: [
      table(
        [
          { header: 'FOR', value: ({ purpose }) => purpose },
          { header: 'ENDS', value: ({ notAfter }) => isoTime(notAfter).slice(0, 10) },
          { header: 'LEFT', value: leftText, align: 'right', mark: leftMark },
          { header: 'SUBJECT', value: ({ subject }) => subject },
          { header: 'ISSUER', value: ({ issuer, subject }) => (issuer === subject ? 'itself' : issuer) },
          { header: 'PATH', value: ({ path }) => path, wide: true },
          { header: 'NAMES', value: ({ alternativeNames }) => alternativeNames.join(', '), wide: true },
          { header: 'SERIAL', value: ({ serialNumber }) => serialNumber, wide: true },
          { header: 'FINGERPRINT', value: ({ fingerprint }) => fingerprint, wide: true },
        ],
        answer.certificates,
        emptyText(answer.notObserved, 'The node has no certificate.'),
      ),
      ...notObservedBlock(answer.notObserved),
    ],
    exitCode: options.exitCode && (ending || unsure) ? exitCodes.findings : exitCodes.ok,
  };
}

function daysLeft({ notAfter }: Certificate): number {
  return notAfter
    ? Math.floor((Number(notAfter.seconds) * 1000 - Date.now()) / DAY_MS)
    : Number.NEGATIVE_INFINITY;
}

function leftText(certificate: Certificate): string {
  const days = daysLeft(certificate);
  if (!Number.isFinite(days)) return '<unknown>';
  // RFC 5280 has no other way to say that a certificate does not end.
  if (isoTime(certificate.notAfter).startsWith('9999-')) return 'no end';
  return days < 0 ? 'ended' : `${days}d`;
}

function leftMark(certificate: Certificate, style: Style) {
  const days = daysLeft(certificate);
  return days < 0 ? style.bad : days < SOON_DAYS ? style.doubtful : style.faint;
}
