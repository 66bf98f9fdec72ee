import { GetTimeResponseSchema, messageData } from '@plinth/api';
import { exitCodes } from '@plinth/base';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { formatDuration } from '../output/units.ts';
import { type AskOptions, askNode } from './ask-node.ts';
import { durationMs } from './duration.ts';
import { isoTime } from './iso-time.ts';
import { ageCell, notObservedBlock } from './system-cells.ts';

interface Length {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** showTime asks a node whether its clock follows a server. @throws cli/context-missing, api/… */
export async function showTime(
  options: AskOptions & { readonly exitCode: boolean },
  context: CommandContext,
): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.system.time());
  const { synchronised, server, serverAddress } = answer;
  const nowMs = answer.now ? Number(answer.now.seconds) * 1000 : Date.now();
  const state = synchronised ? `yes, ${ageCell(answer.lastSynchronisedAt, nowMs)} ago` : 'no';
  const mark = synchronised ? context.style.good : context.style.bad;
  const asked = server === serverAddress || serverAddress === '' ? server : `${server} (${serverAddress})`;
  return {
    data: messageData(GetTimeResponseSchema, answer),
    view: [
      facts([
        ['clock', isoTime(answer.now)],
        ['synchronised', mark(state)],
        ['server', printable(asked) || '<none>'],
        ['servers', printable(answer.servers.join(', ')) || '<none>'],
        ['offset', lengthText(answer.offset)],
        [
          'stratum',
          answer.stratum === 0
            ? '<unknown>'
            : `${answer.stratum}, follows ${printable(answer.reference) || '<unknown>'}`,
        ],
        ['round trip', `${lengthText(answer.roundTrip)}, jitter ${lengthText(answer.jitter)}`],
        [
          'answers',
          `${answer.packets}, one each ${answer.pollInterval ? formatDuration(durationMs(answer.pollInterval)) : '<unknown>'}`,
        ],
        ['drift', answer.driftPpm === undefined ? '<unknown>' : `${answer.driftPpm.toFixed(3)} ppm`],
        ['counted by', answer.clockSource || '<unknown>'],
        ['battery clock', answer.rtcOffset ? `${lengthText(answer.rtcOffset)} ahead` : '<unknown>'],
      ]),
      ...notObservedBlock(answer.notObserved),
    ],
    exitCode: options.exitCode && !synchronised ? exitCodes.findings : exitCodes.ok,
  };
}

/** A short time with the unit that suits it; "<unknown>" when the node told none. */
function lengthText(length: Length | undefined): string {
  if (!length) return '<unknown>';
  const us = Number(length.seconds) * 1e6 + length.nanos / 1000;
  const size = Math.abs(us);
  if (size < 1_000) return `${us.toFixed(0)} µs`;
  return size < 1e6 ? `${(us / 1_000).toFixed(1)} ms` : `${(us / 1e6).toFixed(1)} s`;
}
