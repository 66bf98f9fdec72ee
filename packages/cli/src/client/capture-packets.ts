import { resolve } from 'node:path';
import type { NodeClient } from '@plinth/api';
import { openPcapngReader, type PcapngSummary } from '@plinth/formats';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { usageError } from '../framework/usage-error.ts';
import { facts } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { formatBytes } from '../output/units.ts';
import { type AskOptions, askNode } from './ask-node.ts';
import { expectNewFile, saveNewFile } from './save-new-file.ts';

export interface CaptureOptions extends AskOptions {
  readonly interface: string | undefined;
  readonly filter: string | undefined;
  readonly reason: string | undefined;
  /** Milliseconds. */
  readonly for: number;
  /** Bytes. */
  readonly maxSize: number;
  readonly packets: number | undefined;
  /** Bytes. */
  readonly snapLength: number;
  /** Default, and "-": standard output. */
  readonly output: string | undefined;
}

/** Why plinth-capture ended, for people. */
const ENDS: Readonly<Record<string, string>> = {
  'ended: time': 'the time was over',
  'ended: size': 'the size was reached',
  'ended: packets': 'as many packets as were asked for',
  'ended: interface': 'the interface went down',
  'ended: signal': 'the node stopped it',
};

/**
 * captureOnNode captures packets into a new file, whole or not at all, or onto standard output as they come. What arrives
 * is read along: a capture that is cut short or damaged is a failure, never a short success.
 * @throws cli/usage, cli/context-missing, api/…, capture/…, formats/pcapng-invalid, host/…
 */
export async function captureOnNode(
  options: CaptureOptions,
  context: CommandContext,
): Promise<CommandResult | undefined> {
  const { output, reason } = options;
  if (reason === undefined || reason.trim() === '')
    throw usageError('there is no --reason, expected one for the audit log');
  const target = output === undefined || output === '-' ? undefined : resolve(output);
  const reader = openPcapngReader();
  if (target === undefined) {
    if (context.isTerminal)
      throw usageError(
        'packets would go to the terminal, expected a file, as in "-w a.pcapng", or a pipe, as in "| tshark -r -"',
      );
    await context.suspendProgress(() =>
      askNode(options, context, async (node) => {
        for await (const chunk of packets(node, { ...options, reason }, reader.push)) context.writeOut(chunk);
      }),
    );
    for (const [label, value] of rows(reader.end())) context.say(`${label}: ${value}`);
    return undefined;
  }
  await expectNewFile(target);
  const title = `Capture on ${options.interface === undefined ? 'all interfaces' : printable(options.interface)}`;
  const sizeBytes = await context.progress.step(title, (step) =>
    askNode(options, context, (node) =>
      saveNewFile(
        target,
        checked(packets(node, { ...options, reason }, reader.push), reader.end),
        (written) => step.note(formatBytes(written)),
      ),
    ),
  );
  const summary = reader.end();
  return {
    data: { path: target, sizeBytes, ...summary },
    names: [target],
    view: [facts([['File', target], ['Size', formatBytes(sizeBytes)], ...rows(summary)])],
  };
}

async function* packets(
  node: NodeClient,
  options: CaptureOptions & { readonly reason: string },
  seen: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  const { filter = '', reason, maxSize, packets: maxPackets = 0, snapLength } = options;
  for await (const chunk of node.capture.packets({
    ...{ interface: options.interface ?? '', filter, reason, maxPackets },
    ...{ durationSeconds: Math.ceil(options.for / 1000), maxSizeBytes: maxSize, snapLengthBytes: snapLength },
  })) {
    seen(chunk);
    yield chunk;
  }
}

/** Looks at the end before the file gets its name. */
async function* checked<T>(items: AsyncIterable<T>, end: () => unknown): AsyncGenerator<T> {
  yield* items;
  end();
}

function rows({ packets, dropped, interfaces, comment }: PcapngSummary): (readonly [string, string])[] {
  const names = interfaces.map(({ name }) => printable(name));
  return [
    ['Packets', String(packets)],
    ['Dropped', dropped === 0 ? 'none' : `${dropped}, sent faster than they were read`],
    ['Interfaces', names.length > 8 ? `${names.slice(0, 8).join(', ')}, …` : names.join(', ')],
    ['Ended', ENDS[comment ?? ''] ?? 'unknown'],
  ];
}
