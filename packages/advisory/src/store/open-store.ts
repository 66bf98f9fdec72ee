import { PlinthError } from '@plinth/base';
import { rulesNumber } from '../changelog/index.ts';
import type { SqlDatabase } from './database.ts';
import { readingFrom } from './read-store.ts';
import { SCHEMA_VERSION, TABLES } from './schema.ts';
import { openSqliteDatabase } from './sqlite-database.ts';
import type { AdvisoryStore } from './store.ts';
import { writingTo } from './write-store.ts';

const POSTGRES = /^postgres(ql)?:\/\//;

/**
 * openAdvisoryStore opens the store at a path, a file of SQLite that is made when it is not there (":memory:" for tests), or at
 * an address "postgres://user@host/database", where its tables are made. Passwords: see openPostgresDatabase.
 * @throws advisory/store-failed
 */
export async function openAdvisoryStore(where: string): Promise<AdvisoryStore> {
  const name = POSTGRES.test(where) ? 'the PostgreSQL database of advisories' : where;
  let database: SqlDatabase | undefined;
  try {
    database = POSTGRES.test(where) ? await openPostgres(where) : openSqliteDatabase(where);
    await prepareTables(database);
    await forgetOldReadings(database);
    return guarded(
      { ...readingFrom(database), ...writingTo(database), close: database.close },
      database.name,
    );
  } catch (reason) {
    await database?.close().catch(() => undefined);
    throw failed(database?.name ?? name, reason);
  }
}

/** Its client is loaded by those only who use it. */
async function openPostgres(address: string): Promise<SqlDatabase> {
  const { openPostgresDatabase } = await import('./postgres-database.ts');
  return openPostgresDatabase(address);
}

async function prepareTables(database: SqlDatabase): Promise<void> {
  let version = await database.readMark(database, 'schema');
  if (version === 0) {
    version = await database.transaction(async (session) => {
      // Another process may have made them while this one waited for its turn.
      const now = await database.readMark(session, 'schema');
      if (now !== 0) return now;
      await database.makeTables(session, TABLES);
      await database.writeMark(session, 'schema', SCHEMA_VERSION);
      return SCHEMA_VERSION;
    });
  }
  if (version !== SCHEMA_VERSION) {
    const state = `its tables have version ${version}`;
    throw new PlinthError(
      'advisory/store-failed',
      `Cannot use ${database.name}: ${state}, expected ${SCHEMA_VERSION}`,
    );
  }
}

/** Changelogs are kept as what the rules made of them: by other rules, they have to be fetched and read again. */
async function forgetOldReadings(database: SqlDatabase): Promise<void> {
  const rules = rulesNumber();
  if ((await database.readMark(database, 'rules')) === rules) return;
  await database.transaction(async (session) => {
    if ((await database.readMark(session, 'rules')) === rules) return;
    await session.all('DELETE FROM changelog_entries');
    await session.all('DELETE FROM changelogs');
    await database.writeMark(session, 'rules', rules);
  });
}

/** Every failure of the database is reported under one code, with its name. */
function guarded(store: AdvisoryStore, name: string): AdvisoryStore {
  const guard =
    <A extends readonly unknown[], R>(method: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      try {
        return await method(...args);
      } catch (reason) {
        throw failed(name, reason);
      }
    };
  return Object.fromEntries(
    Object.entries(store).map(([key, method]) => [
      key,
      guard(method as (...args: readonly unknown[]) => Promise<unknown>),
    ]),
  ) as unknown as AdvisoryStore;
}

function failed(name: string, reason: unknown): PlinthError {
  return PlinthError.from(reason, 'advisory/store-failed', `Cannot use ${name}`);
}
