import { resolve } from 'node:path';
import { type ComparedEvent, type Judgement, REASONS, type Reference } from '@plinth/attest';
import { exitCodes } from '@plinth/base';
import { readReferences } from '@plinth/image';
import { askNode } from '../client/ask-node.ts';
import { chooseContext } from '../client/choose-context.ts';
import { contextsPath, readContexts } from '../client/contexts-file.ts';
import type { NodeOptions } from '../client/node-options.ts';
import { readMachineReference } from '../flows/machine-reference.ts';
import { openAnchors } from '../flows/trust-anchors.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { type Block, facts, nextCommands, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { type AttestedNode, attestNode } from './attest-node.ts';

export interface ShowAttestationOptions extends Pick<NodeOptions, 'context' | 'timeout' | 'node'> {
  readonly releases: readonly string[];
  readonly enrol: boolean;
  readonly replace: boolean;
  readonly older: boolean;
  /** Show what is as expected too. */
  readonly events: boolean;
  readonly ekAuthority: string | undefined;
  readonly trust: string | undefined;
}

/** showAttestation attests a node and shows the verdict with what differs; exit code 3 unless it passes. @throws as attestNode and readReferences */
export async function showAttestation(
  options: ShowAttestationOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const anchors = (await openAnchors(options.trust, context.env)) ?? { certificates: () => [] };
  const folders = options.releases.map((release) => resolve(release));
  const given = (await Promise.all(folders.map((folder) => readReferences(folder, anchors)))).flat();
  const references = given.length > 0 ? given : await ownReferences(options, context.env);
  const attested = await askNode(options, context, (node) =>
    attestNode(node, { ...options, references }, context.env),
  );
  return { ...show(attested, options.events, context) };
}

/** Of a machine that "plinth up" made on this computer: nobody else vouches for an image that was built here. */
async function ownReferences(
  options: ShowAttestationOptions,
  env: CommandContext['env'],
): Promise<readonly Reference[]> {
  // Several nodes may be any, also such that are not of this computer.
  if (options.node) return [];
  const { name } = chooseContext(await readContexts(contextsPath(env)), options.context, env);
  const reference = await readMachineReference(name);
  return reference ? [reference] : [];
}

function show({ judgement, enrolment, isNew }: AttestedNode, events: boolean, context: CommandContext) {
  const { style } = context;
  const { verdict, findings, release, compared, notCompared, facts: told, resetCount } = judgement;
  const mark = verdict === 'pass' ? style.good : style.bad;
  const shown = compared.filter(({ state }) => events || state !== 'same');
  const view: Block[] = [
    ...(shown.length > 0 ? [eventsTable(shown)] : []),
    ...(findings.length > 0 ? [findingsTable(judgement)] : []),
    facts([
      ['node', `${enrolment.nodeName}, ${isNew ? 'enrolled now' : `enrolled ${enrolment.enrolledAt}`}`],
      ['TPM', enrolment.vouchedBy === '' ? 'believed since it was first seen' : `by ${enrolment.vouchedBy}`],
      ['release', release ? `${release.name} ${release.version}` : '<none to compare with>'],
      [
        'events',
        `${compared.filter(({ state }) => state === 'same').length} of ${compared.length} as expected`,
      ],
      ['not compared', `PCR ${notCompared.join(', ')}`],
      ...(told ? [['told', toldLine(told)] as const] : []),
      ['verdict', mark(verdict)],
    ]),
    ...(references(judgement) ? [] : [NEXT]),
  ];
  const data = {
    ...{ verdict, node: { id: enrolment.nodeId, name: enrolment.nodeName }, enrolledNow: isNew },
    ...{ enrolledAt: enrolment.enrolledAt, vouchedBy: enrolment.vouchedBy, release, findings, notCompared },
    ...{
      events: compared.map(({ event, ...row }) => ({ ...row, source: event?.source })),
      facts: told,
      resetCount,
    },
  };
  return { data, view, exitCode: verdict === 'pass' ? exitCodes.ok : exitCodes.findings };
}

const NEXT = nextCommands([['plinth attest RELEASE', 'judge it by the release it should run']]);

function references({ release }: Judgement): boolean {
  return release !== undefined;
}

function toldLine({ selinux, ipe, lockdown, checks }: NonNullable<Judgement['facts']>): string {
  const failing = checks.filter(({ verdict }) => verdict !== 'pass').length;
  const integrity = failing === 0 ? 'integrity checks pass' : `${failing} integrity checks do not pass`;
  return printable(`enforcing: SELinux ${selinux}, IPE ${ipe.enforcing}; lockdown ${lockdown}; ${integrity}`);
}

const DIGEST_CHARACTERS = 12;

function eventsTable(rows: readonly ComparedEvent[]): Block {
  const digest = (value: string | undefined) => value?.slice(0, DIGEST_CHARACTERS) ?? '';
  return table(
    [
      { header: 'PCR', value: ({ pcr }) => String(pcr), align: 'right' },
      {
        header: 'STATE',
        value: ({ state }) => state,
        mark: ({ state }, style) => (state === 'same' ? style.good : style.bad),
      },
      {
        header: 'EXPECTED',
        value: ({ expected, state }) => digest(expected ?? (state === 'same' ? 'any' : '')),
      },
      { header: 'FOUND', value: ({ found }) => digest(found) },
      { header: 'WHAT', value: ({ what }) => what },
    ],
    rows,
  );
}

function findingsTable({ findings }: Judgement): Block {
  return table(
    [
      { header: 'REASON', value: ({ reason }) => reason, mark: (_, style) => style.bad },
      { header: 'MEANING', value: ({ reason }) => REASONS[reason] },
      { header: 'FOUND', value: ({ message }) => message, wide: true },
    ],
    findings,
  );
}
