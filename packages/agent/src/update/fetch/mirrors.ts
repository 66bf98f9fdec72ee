import { PlinthError } from '@plinth/base';
import { pause, type Sleep } from '../../repeat.ts';
import { brief, isWebAddress, shown } from './http-client.ts';

/** The addresses of one repository. They are never trusted, only more or less useful. */
export interface Mirrors {
  /**
   * Does a piece of work at one address after the other until it succeeds. A failure after progress is tried again at the same
   * address; three without any between go round to the others. An address that gave wrong bytes three times is left out.
   * @param work gets the address and a function that says "something that counts has arrived"
   * @param isOptional of work that can be done otherwise: each address is asked once, and none is left out for it
   * @throws what the last address failed with; the message names all addresses with what each did
   */
  attempt<T>(
    what: string,
    work: (base: URL, progressed: () => void) => Promise<T>,
    signal: AbortSignal,
    isOptional?: boolean,
  ): Promise<T>;
}

/** A failure of whoever asked, a disk that does not take what came say: another address would not help. `cause` is thrown. */
export class NotTheServer extends Error {
  constructor(cause: unknown) {
    super('what was fetched could not be taken', { cause });
  }
}

export interface MirrorOptions {
  /** How often each address is asked without progress; default 3. */
  readonly rounds?: number;
  /** Before the second round; doubles for each. */
  readonly pauseMs?: number;
  readonly sleep?: Sleep;
}

interface Mirror {
  readonly base: URL;
  strikes: number;
  lastFailure: unknown;
}

const STRIKES = 3;
const FINAL_STATUS = [403, 404, 410];
const PAUSE_MS = 1_000;
const ADDRESSES_MAXIMUM = 16;

/**
 * openMirrors takes the addresses in the order in which they are asked.
 * @throws update/bad-source
 */
export function openMirrors(addresses: readonly string[], options: MirrorOptions = {}): Mirrors {
  const { rounds = 3, pauseMs = PAUSE_MS, sleep = waitAlive } = options;
  const mirrors = parseAddresses(addresses).map(
    (base): Mirror => ({ base, strikes: 0, lastFailure: undefined }),
  );
  /** Where the last success was. */
  let preferred = 0;

  return {
    async attempt(what, work, signal, isOptional = false) {
      let failures = 0;
      for (let index = preferred; ; ) {
        const usable = mirrors.filter(({ strikes }) => strikes < STRIKES);
        const mirror = usable[index % Math.max(usable.length, 1)];
        if (!mirror) throw summary(what, mirrors);
        let arrived = false;
        try {
          const result = await work(mirror.base, () => {
            arrived = true;
          });
          preferred = mirrors.indexOf(mirror);
          return result;
        } catch (reason) {
          if (signal.aborted) throw signal.reason;
          if (reason instanceof NotTheServer) throw reason.cause;
          mirror.lastFailure = reason;
          const isLie = reason instanceof PlinthError && reason.code === 'update/content-wrong';
          if (isLie && !isOptional) mirror.strikes++;
          if (arrived) {
            failures = 0;
            continue;
          }
          failures++;
          index++;
        }
        if (failures < usable.length) continue;
        const round = failures / usable.length;
        if (round >= (isOptional ? 1 : rounds) || usable.every(({ lastFailure }) => isFinal(lastFailure)))
          throw summary(what, mirrors);
        if (Number.isInteger(round)) await sleep(pauseMs * 2 ** (round - 1), signal);
      }
    },
  };
}

/** A server that has answered does not answer otherwise a second later. */
function isFinal(reason: unknown): boolean {
  return reason instanceof PlinthError && FINAL_STATUS.includes(Number(reason.details['status']));
}

function summary(what: string, mirrors: readonly Mirror[]): PlinthError {
  const failed = mirrors.filter(({ lastFailure }) => lastFailure !== undefined);
  const lines = failed.map(({ base, lastFailure }) => `${shown(base)}: ${brief(lastFailure)}`);
  const [first] = failed.map(({ lastFailure }) => lastFailure).filter((one) => one instanceof PlinthError);
  const message = `Cannot fetch ${what} from any of ${mirrors.length} addresses: ${lines.join('; ')}`;
  return new PlinthError(first?.code ?? 'update/unreachable', message, {
    retryable: true,
    cause: first,
    ...(first && { details: first.details }),
  });
}

function parseAddresses(addresses: readonly string[]): URL[] {
  const bad = (state: string) =>
    new PlinthError('update/bad-source', `Cannot use the addresses of a repository: ${state}`);
  if (addresses.length === 0 || addresses.length > ADDRESSES_MAXIMUM) {
    throw bad(`${addresses.length} of them, expected 1 to ${ADDRESSES_MAXIMUM}`);
  }
  return addresses.map((address, index) => {
    const url = URL.parse(address.endsWith('/') ? address : `${address}/`);
    if (url === null || !isWebAddress(url) || url.search !== '' || url.hash !== '') {
      // The address is not repeated: it may hold a password.
      throw bad(`address ${index + 1} is not plain, expected http(s)://HOST/FOLDER/`);
    }
    return url;
  });
}

function waitAlive(durationMs: number, signal: AbortSignal): Promise<void> {
  return pause(durationMs, signal, true);
}
