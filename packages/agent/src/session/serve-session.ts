import type { ConnectRouter } from '@connectrpc/connect';
import type { OperationsSession } from '@plinth/config';
import { type CheckSpec, fail, pass } from '../checks/check.ts';
import type { NodeConsole } from '../console.ts';
import { openCri } from '../containers/cri-client.ts';
import { capabilitiesOf } from '../containers/own/oci-spec.ts';
import { openOwnContainers } from '../containers/own/own-containers.ts';
import { tmpfilesPipes } from '../containers/own/pipes.ts';
import { openSignatures } from '../containers/signatures/fetch-signatures.ts';
import { SYSTEM_STATE } from '../sys/state-folder.ts';
import type { StateStore } from '../sys/state-store.ts';
import { readText, type Sys } from '../sys/sys.ts';
import type { NodeFacts } from './live-session.ts';
import { openSessions, type Sessions } from './open-sessions.ts';
import { sessionService } from './session-service.ts';

export interface ServeSessionParts {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly console: NodeConsole;
  readonly allowed: () => OperationsSession | undefined;
  readonly audit: (record: object) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Everything of plinthd about operations sessions, ready to be served. */
export interface ServedSessions {
  readonly routes: (router: ConnectRouter) => void;
  readonly check: CheckSpec;
}

/** serveSessions ends what was left open and gives the routes of SessionService. */
export async function serveSessions(parts: ServeSessionParts): Promise<ServedSessions> {
  const { sys, store, allowed } = parts;
  const cri = openCri();
  const sessions = await openSessions({
    ...parts,
    ...{ cri, own: openOwnContainers({ cri }), nowMs: sys.nowMs, facts: await nodeFacts(sys) },
    signatures: openSignatures(),
    folder: `${SYSTEM_STATE}/sessions`,
    makePipes: tmpfilesPipes(sys, store, 'session-pipes.conf'),
    availableBytes: async () => (await sys.usage(SYSTEM_STATE)).availableBytes,
  });
  return { routes: sessionService({ sessions, allowed, nowMs: sys.nowMs }), check: sessionCheck(sessions) };
}

/** nodeFacts reads what a session may be given. What cannot be read is not given. */
export async function nodeFacts(sys: Pick<Sys, 'readFile'>): Promise<NodeFacts> {
  const groups = (await readText(sys, '/etc/group').catch(() => undefined)) ?? '';
  // plinthd's own bound is far lower; containers come from containerd, which has what the first process has.
  const status = (await readText(sys, '/proc/1/status').catch(() => undefined)) ?? '';
  const journal = /^systemd-journal:[^:]*:(\d{1,9}):/m.exec(groups)?.[1];
  return {
    viewGroups: journal === undefined ? [] : [Number(journal)],
    capabilities: capabilitiesOf(status),
  };
}

/** sessionCheck warns while somebody works on the node by hand. */
export function sessionCheck(sessions: Pick<Sessions, 'list'>): CheckSpec {
  return {
    id: 'operations-session',
    expected: 'none is open',
    source: 'plinthd',
    cause: 'Somebody works on the node by hand; it may not be as its config says.',
    fix: 'Wait for its end, or end it with "plinth session end".',
    async observe() {
      const open = sessions.list().find(({ endedBecause }) => endedBecause === '');
      return open
        ? fail(`${open.id} of level ${open.level} by ${open.openedBy}: ${open.reason}`)
        : pass('none is open');
    },
  };
}
