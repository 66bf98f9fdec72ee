import type { Channel, ChannelDeadlines } from '@plinth/updates';
import { type Block, facts, table } from '../output/blocks.ts';

/** One version of a channel with what is said about it. */
interface VersionRow {
  readonly channel: string;
  readonly version: string;
  readonly said: readonly string[];
  readonly notes: string;
}

/** channelBlocks shows what channels offer and forbid. */
export function channelBlocks(
  channels: readonly Channel[],
  deadlines: readonly ChannelDeadlines[] = [],
): Block[] {
  const rows = channels.flatMap((channel) =>
    channel.releases.map(({ version, security, notes = '' }): VersionRow => {
      const rules = [
        ['blocked', channel.blocked],
        ['barrier', channel.barriers],
        ['dead end', channel.deadEnds],
        ['security floor', channel.securityFloor ? [channel.securityFloor] : []],
      ] as const;
      const said = rules.flatMap(([word, list]) =>
        list.filter((rule) => rule.version === version).map(({ reason }) => `${word}: ${reason}`),
      );
      const due = deadlines
        .filter((each) => each.channel === channel.channel)
        .flatMap((each) => each.deadlines.filter((one) => one.version === version))
        .map(({ by, reason }) => `by ${by}: ${reason}`);
      const all = [...(security ? ['security'] : []), ...said, ...due];
      return { channel: channel.channel, version, said: all, notes };
    }),
  );
  const floors = channels.flatMap(({ channel, securityFloor }) =>
    securityFloor
      ? [[`floor of ${channel}`, `${securityFloor.version}: ${securityFloor.reason}`] as const]
      : [],
  );
  return [
    table(
      [
        { header: 'CHANNEL', value: (row) => row.channel },
        { header: 'VERSION', value: (row) => row.version },
        { header: 'SAID OF IT', value: (row) => row.said.join('; ') },
        { header: 'NOTES', value: (row) => row.notes, wide: true },
      ],
      rows,
      'Nothing is offered.',
    ),
    ...(floors.length > 0 ? [facts(floors)] : []),
  ];
}
