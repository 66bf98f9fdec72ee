import type { Sys } from '../../sys/sys.ts';
import { type Asked, askService } from './ask-service.ts';
import { detectService } from './detect-service.ts';
import { inRounds } from './in-rounds.ts';
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

/**
 * openMetadataSource asks the metadata service that the firmware names, and no other. Rounds that give
 * nothing are further and further apart, as far as the service asks for; meanwhile what the last one gave is told again.
 */
export function openMetadataSource(sys: Sys, parts: MetadataParts = {}): MetadataSource {
  const { ask = askService, services, nowMs, retryMs, signal } = parts;
  const asked = inRounds({ ask, nowMs, retryMs, signal });
  return {
    async read(hurry) {
      const service = await detectService(sys, services);
      return service && { service, asked: await asked(service, hurry) };
    },
  };
}
