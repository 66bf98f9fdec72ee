import { messageOf, PlinthError } from '@plinth/base';
import { findConfig } from '../config/find-config.ts';
import { type ServedConfig, serveConfig } from '../config/serve-config.ts';
import { openUrlSource } from '../config/sources/config-url.ts';
import { openMetadataSource } from '../config/sources/metadata-source.ts';
import type { MachineFiles } from '../config/transaction/machine-files.ts';
import { inTurn } from '../in-turn.ts';
import { pause } from '../repeat.ts';
import { errorCode } from '../sys/sys.ts';
import type { FirstConfig } from './maintenance-service.ts';
import { type Door, type DoorParts, openDoor } from './open-door.ts';
import { whyShut } from './why-shut.ts';

export interface WaitParts extends Omit<DoorParts, 'code' | 'take'> {
  readonly configFiles: MachineFiles;
  readonly configTickMs: number;
  /** How long to wait before the config is looked for again. */
  readonly retryMs: number;
  ready(status: string): Promise<void>;
  readonly signal: AbortSignal;
}

/** A look that found no config to go by. */
interface Nothing {
  readonly code: string;
  readonly problems: readonly string[];
  readonly cloudSilent?: boolean | undefined;
}

/** No stored config can be read any more; the store has said why. */
const UNUSABLE: Nothing = {
  code: 'config/unreadable',
  problems: ['Cannot use any config: none can be read, expected one'],
};

/**
 * waitForConfig looks for a config until there is a valid one, and says what is wrong once per change. Meanwhile a node that
 * never had one takes its first from whoever reaches it; see openDoor. Undefined when aborted.
 */
export async function waitForConfig(
  parts: WaitParts,
  restartOwn: () => void,
): Promise<ServedConfig | undefined> {
  const { sys, store, console, signal, configFiles: files, configTickMs: tickMs } = parts;
  const network = { metadata: openMetadataSource(sys, { signal }), url: openUrlSource({ signal }) };
  /** A config is looked for or taken, never both at once: the first one that is stored is the config. */
  const turn = inTurn();
  let taken: ServedConfig | undefined;
  let byClient = false;
  let said = '';
  let code = '';
  let saidShut = '';
  let addresses = '';
  let door: Door | undefined;
  let woken = new AbortController();
  const serveFound = (found: Parameters<typeof serveConfig>[0]) =>
    serveConfig(found, { sys, store, console, files, tickMs, restartOwn });

  const look = async (): Promise<ServedConfig | Nothing> => {
    try {
      const found = await findConfig(sys, store, network);
      if (found.ok && found.unanswered !== undefined) console.say(`config: ${found.unanswered}`);
      return (await serveFound(found)) ?? (found.ok ? UNUSABLE : found);
    } catch (reason) {
      const problem = `Cannot read the machine config: ${errorCode(reason) || reason}`;
      return { code: 'agent/config-missing', problems: [problem], cloudSilent: true };
    }
  };

  const take = (first: FirstConfig): Promise<number> =>
    turn(async () => {
      if (taken) throw alreadyGiven();
      const { author, reason, config, bytes } = first;
      const served = await serveFound({ ok: true, source: 'api', config, bytes, author, reason }).catch(
        (failure: unknown) => {
          throw PlinthError.from(failure, 'config/state-lost', 'Cannot store the config');
        },
      );
      if (!served)
        throw new PlinthError('config/state-lost', 'Cannot store the config: it cannot be read back');
      console.say(`maintenance: ${author} gave the config of node ${config.machine.name}`);
      [taken, byClient] = [served, true];
      woken.abort();
      return served.transaction.state().current;
    });

  /** A person at the console needs an address; it comes when the network is up, and may change. */
  const sayAddresses = (): void => {
    const now = sys.addresses().join(', ');
    if (now !== addresses) console.say(`maintenance: addresses ${now || 'none'}`);
    addresses = now;
  };

  const mayOpen = async (nothing: Nothing): Promise<void> => {
    if (door) return;
    const why =
      (await whyShut(store, nothing)) ??
      (await openDoor({ ...parts, code: () => code, take }).then((opened) => {
        door = opened;
      }, messageOf));
    if (why !== undefined && why !== saidShut)
      console.say(`maintenance: takes no config over the network: ${why}`);
    saidShut = why ?? '';
  };

  try {
    while (!signal.aborted) {
      const found = await turn(async () => taken ?? look());
      if ('config' in found) {
        taken = found;
        return found;
      }
      code = found.code;
      const problems = found.problems.join('\n');
      if (problems !== said) {
        for (const problem of found.problems) console.say(`maintenance: ${problem} [${code}]`);
        if (said === '') await parts.ready('maintenance: no valid machine config');
        said = problems;
      }
      woken = new AbortController();
      await mayOpen(found);
      if (door) sayAddresses();
      if (!taken) await pause(parts.retryMs, AbortSignal.any([signal, woken.signal]), true);
    }
    return undefined;
  } finally {
    await door?.close(byClient);
  }
}

function alreadyGiven(): PlinthError {
  return new PlinthError(
    'config/already-given',
    'Cannot take the config: the node has just got one, expected none',
  );
}
