import { pause } from '../../repeat.ts';
import type { Sys } from '../../sys/sys.ts';
import { type Asked, askService } from './ask-service.ts';
import { detectService } from './detect-service.ts';
import type { MetadataService } from './services.ts';

/** What the cloud of this machine gives. */
export interface FromMetadata {
  readonly service: MetadataService;
  readonly asked: Asked;
}

/** The metadata service of the cloud that this machine is of. */
export interface MetadataSource {
  /**
   * Asks for user data; undefined on a machine of no cloud.
   * @param hurry whether there is something else to go by, so that one short try has to do
   */
  read(hurry: boolean): Promise<FromMetadata | undefined>;
}

export interface MetadataParts {
  readonly ask?: typeof askService;
  readonly nowMs?: () => number;
  readonly services?: readonly MetadataService[];
  /** Ends a round early. */
  readonly signal?: AbortSignal;
  /** Pause after the first try of a round; it doubles. */
  readonly retryMs?: number;
}

const HURRY_MS = 2_000;
const TIMEOUT_MS = 5_000;
const TRIES = 3;
const RETRY_MS = 500;
/** Between two rounds that end without an answer. */
const REST_MS = { first: 5_000, most: 60_000 } as const;

/**
 * openMetadataSource asks the metadata service that the firmware names, and no other. Rounds that give
 * nothing are further and further apart, as far as the service asks for; meanwhile what the last one gave is told again.
 */
export function openMetadataSource(sys: Sys, parts: MetadataParts = {}): MetadataSource {
  const { ask = askService, nowMs = () => performance.now(), retryMs = RETRY_MS, signal = NEVER } = parts;
  let last: Asked | undefined;
  let notBeforeMs = 0;
  let restMs: number = REST_MS.first;

  async function round(service: MetadataService, hurry: boolean): Promise<Asked> {
    const tries = hurry ? 1 : TRIES;
    for (let done = 1; ; done++) {
      const asked = await ask(service, { timeoutMs: hurry ? HURRY_MS : TIMEOUT_MS, signal });
      if (asked.kind !== 'unanswered' || done === tries || signal.aborted || asked.retryAfterMs !== undefined)
        return asked;
      await pause(retryMs * 2 ** (done - 1), signal, true);
    }
  }

  return {
    async read(hurry) {
      const service = await detectService(sys, parts.services);
      if (!service) return undefined;
      if (last && nowMs() < notBeforeMs) return { service, asked: last };
      const asked = await round(service, hurry);
      if (asked.kind === 'given') {
        last = undefined;
        restMs = REST_MS.first;
      } else {
        last = asked;
        const wishedMs = asked.kind === 'unanswered' ? (asked.retryAfterMs ?? 0) : 0;
        notBeforeMs = nowMs() + Math.max(restMs, wishedMs);
        restMs = Math.min(restMs * 2, REST_MS.most);
      }
      return { service, asked };
    },
  };
}

const NEVER = new AbortController().signal;
