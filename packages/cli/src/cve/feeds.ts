import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  type AdvisoryStore,
  advisoryStorePath,
  exportBundle,
  type FeedState,
  importBundle,
  importedFeeds,
  importFeed,
  isBundle,
  openAdvisoryStore,
  stateOfFeed,
} from '@plinth/advisory';
import { ioError } from '@plinth/host';
import type { KeyFolderOptions } from '../flows/key-folder.ts';
import { openKeys } from '../flows/open-keys.ts';
import { openAnchors } from '../flows/trust-anchors.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, nextCommands, plainText, table } from '../output/blocks.ts';
import { formatBytes, formatDuration } from '../output/units.ts';

/** listFeeds shows every feed that is here. @throws advisory/store-failed */
export function listFeeds(context: CommandContext): Promise<CommandResult> {
  return withStore(context, (store) => feedTable(store, new Date()));
}

/**
 * importFeeds takes over bundles and documents, in the order given; what came before a bad one stays.
 * @throws advisory/feed-invalid, advisory/bundle-untrusted, advisory/bundle-older, advisory/store-failed, host/io
 */
export async function importFeeds(
  files: readonly string[],
  trust: string | undefined,
  context: CommandContext,
): Promise<CommandResult> {
  return await withStore(context, async (store) => {
    for (const file of files.map((each) => resolve(each))) {
      await context.progress.step(`Import ${file}`, async (step) => {
        if (await isBundleFile(file)) {
          const anchors = await openAnchors(trust, context.env);
          const { feeds } = await importBundle(store, file, anchors?.certificates('release') ?? []);
          step.note(`${feeds.length} feeds`);
        } else step.note((await importFeed(store, file)).name);
      });
    }
    return feedTable(store, new Date());
  });
}

/** exportFeeds writes a signed bundle. @throws trust/…, advisory/store-failed, host/disk-full */
export async function exportFeeds(
  file: string,
  options: KeyFolderOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const keys = await openKeys(options, context);
  return await withStore(context, async (store) => {
    const path = resolve(file);
    const report = await context.progress.step(`Write ${path}`, () =>
      exportBundle(store, keys.signers.release, path),
    );
    return {
      data: { path, ...report },
      view: [
        facts([
          ['bundle', path],
          ['feeds', report.feeds.join(', ') || 'none'],
          ['size', formatBytes(report.sizeBytes)],
          ['sha256', report.sha256],
          ['valid until', report.validUntil],
        ]),
      ],
      names: [path],
    };
  });
}

async function withStore<T>(context: CommandContext, work: (store: AdvisoryStore) => Promise<T>): Promise<T> {
  const store = await openAdvisoryStore(advisoryStorePath(context.env));
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

const VOUCHERS: Readonly<Record<FeedState['authenticity'], string>> = {
  'archive-signature': 'archive',
  'bundle-signature': 'bundle',
  transport: 'transport',
  none: 'nobody',
};

async function feedTable(store: AdvisoryStore, now: Date): Promise<CommandResult> {
  // Cells are drawn after the store is closed.
  const heads = await store.feeds();
  const records = new Map<string, number>();
  for (const { name } of heads) records.set(name, await store.size(name));
  const absent = importedFeeds.filter((name) => !records.has(name));
  const states = heads.map((head) => stateOfFeed(head, now));
  return {
    data: states,
    names: states.map(({ name }) => name),
    view: [
      table(
        [
          { header: 'NAME', value: ({ name }: FeedState) => name.replace(/^debian-index:/, '') },
          {
            header: 'STATE',
            value: ({ condition }) => condition,
            mark: ({ condition }, style) => (condition === 'fresh' ? style.good : style.bad),
          },
          { header: 'OF', value: ({ date = '' }) => date.slice(0, 10) },
          { header: 'AGE', value: ({ ageMs }) => (ageMs === undefined ? '-' : formatDuration(ageMs)) },
          { header: 'VALID UNTIL', value: ({ validUntil = '-' }) => validUntil.slice(0, 10) },
          { header: 'RECORDS', value: ({ name }) => String(records.get(name) ?? 0), align: 'right' },
          { header: 'VOUCHED BY', value: ({ authenticity }) => VOUCHERS[authenticity] },
          { header: 'DETAIL', value: ({ detail = '' }) => detail, wide: true },
        ],
        states,
        'No feed is here yet; "plinth cve scan" fetches the signed indexes.',
      ),
      ...(absent.length === 0
        ? []
        : [
            plainText(`Not here: ${absent.join(', ')}`),
            nextCommands([['plinth cve feeds import FILE', 'a document of one of these, or a bundle']]),
          ]),
    ],
  };
}

async function isBundleFile(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch((reason: unknown) => {
    throw ioError(reason, `read ${path}`);
  });
  try {
    if (!(await file.stat()).isFile()) return false;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(32), 0, 32, 0);
    return isBundle(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}
