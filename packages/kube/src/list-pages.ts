import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import type { KubeConnection } from './connection.ts';
import { parseStatus, statusError } from './status.ts';

/** One answer of a list. */
export interface KubePage {
  readonly items: readonly unknown[];
  /** Version of the whole list: a watch goes on from it. */
  readonly resourceVersion: string;
}

export interface ListOptions {
  /** Objects of one answer. Small pages keep the memory of both sides small. */
  readonly pageSize?: number;
  readonly query?: Readonly<Record<string, string>>;
  /** The server has let go of the version that was being listed: go on from what is there now, or fail. */
  readonly whenExpired?: 'go-on' | 'fail';
}

/** More pages than any cluster has, against a server that never ends its list. */
const MOST_PAGES = 20_000;

const pageSchema = z.looseObject({
  metadata: z
    .looseObject({ resourceVersion: z.string().default(''), continue: z.string().default('') })
    .prefault({}),
  // Go writes an empty list as null.
  items: z.array(z.unknown()).nullable(),
});

/**
 * listPages lists objects page by page, all of one version of the cluster unless told to go on after it expired.
 * @param path of the resource: "/api/v1/pods"
 * @throws as askKube; kube/expired when the version was let go of in between and `whenExpired` is "fail"
 */
export async function* listPages(
  connection: KubeConnection,
  path: string,
  { pageSize = 500, query = {}, whenExpired = 'fail' }: ListOptions,
  signal: AbortSignal,
): AsyncGenerator<KubePage> {
  let next = '';
  for (let page = 0; page < MOST_PAGES; page++) {
    signal.throwIfAborted();
    const asked = {
      method: 'GET' as const,
      path,
      query: { ...query, limit: String(pageSize), ...(next !== '' && { continue: next }) },
    };
    const answer = await connection.call(asked, signal);
    if (answer.status === 410 && next !== '' && whenExpired === 'go-on') {
      const { continueToken } = parseStatus(answer.text);
      if (continueToken === undefined) throw statusError(asked, answer);
      next = continueToken;
      continue;
    }
    if (answer.status !== 200) throw statusError(asked, answer);
    const { items, metadata } = parsePage(answer.text, path);
    yield { items: items ?? [], resourceVersion: metadata.resourceVersion };
    next = metadata.continue;
    if (next === '') return;
  }
  throw new PlinthError('kube/bad-answer', `Cannot list ${path}: the list does not end`);
}

function parsePage(text: string, path: string): z.infer<typeof pageSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (reason) {
    throw new PlinthError('kube/bad-answer', `Cannot list ${path}: the answer is not JSON`, {
      cause: reason,
    });
  }
  const parsed = pageSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new PlinthError('kube/bad-answer', `Cannot list ${path}: the answer is no list`);
}
