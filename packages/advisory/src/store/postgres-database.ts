import pg from 'pg';
import { type Insertion, insertSql, type SqlDatabase, type SqlSession, type SqlValue } from './database.ts';

/** Any number: those who write to these tables take this lock of the server one after the other. */
const WRITER_LOCK = 7_209_911;
/** PostgreSQL takes at most 65,535 values with one statement. */
const ROWS_AT_ONCE = 500;
const CONNECT_TIMEOUT_MS = 15_000;
/** A question that takes longer is a fault of the server. */
const STATEMENT_TIMEOUT_MS = 120_000;
const CONNECTIONS = 4;

/**
 * openPostgresDatabase connects to "postgres://user@host/database"; a password comes from PGPASSWORD or the password file
 * (libpq's variables), so that it stands in no argument. Throws errors of the server and of the network.
 */
export async function openPostgresDatabase(address: string): Promise<SqlDatabase> {
  const pool = new pg.Pool({
    connectionString: address,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    application_name: 'plinth-cve',
  });
  // A connection that breaks while nobody uses it is replaced by the next question, which tells if there is trouble.
  pool.on('error', () => undefined);
  const outside = sessionOver(pool);
  await outside.all('SELECT 1').catch(async (reason: unknown) => {
    await pool.end();
    throw reason;
  });
  return {
    ...outside,
    name: nameOf(address),
    contains: (column) => `strpos(${column}, ?) > 0`,
    transaction: async (work) => {
      const client = await pool.connect();
      let broken: Error | undefined;
      try {
        await client.query('BEGIN');
        await client.query('SELECT pg_advisory_xact_lock($1)', [WRITER_LOCK]);
        const result = await work(sessionOver(client));
        await client.query('COMMIT');
        return result;
      } catch (reason) {
        await client.query('ROLLBACK').catch((second: Error) => {
          broken = second;
        });
        throw reason;
      } finally {
        client.release(broken);
      }
    },
    readMark: async (session, mark) => {
      // Not to_regclass: it may answer by what it knew before this transaction waited for another writer.
      const tables = await session.all(
        'SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = ?',
        'marks',
      );
      if (tables.length === 0) return 0;
      return Number((await session.all('SELECT value FROM marks WHERE name = ?', mark))[0]?.['value'] ?? 0);
    },
    writeMark: (session, mark, value) =>
      session.insert({
        ...{ table: 'marks', columns: ['name', 'value'], key: ['name'], onConflict: 'replace' },
        rows: [[mark, Math.trunc(value)]],
      }),
    makeTables: async (session, statements) => {
      await session.all('CREATE TABLE marks (name TEXT PRIMARY KEY, value BIGINT NOT NULL)');
      for (const statement of statements) await session.all(toPostgres(statement));
    },
    close: () => pool.end(),
  };
}

/** The tables of schema.ts for PostgreSQL: texts in the order of their bytes, as in SQLite, whatever language the server is set to. */
function toPostgres(statement: string): string {
  return statement.replaceAll(/\bTEXT\b/g, 'TEXT COLLATE "C"').replaceAll(/\bWITHOUT ROWID\b/g, '');
}

function sessionOver(client: Pick<pg.ClientBase, 'query'>): SqlSession {
  const all = async (sql: string, ...values: readonly SqlValue[]) =>
    (await client.query<Record<string, unknown>>(numbered(sql), [...values])).rows;
  return {
    all,
    each: (sql, lists) => Promise.all(lists.map((values) => all(sql, ...values))),
    insert: async (insertion) => {
      for (const rows of batches(insertion)) await all(insertSql(insertion, rows.length), ...rows.flat());
    },
  };
}

/** One statement may not name a key twice where it replaces: what came last counts, as it does row by row. */
function* batches({ rows, columns, key, onConflict }: Insertion): Generator<(readonly SqlValue[])[]> {
  const places = key.map((name) => columns.indexOf(name));
  let batch = new Map<string, readonly SqlValue[]>();
  let number = 0;
  for (const row of rows) {
    const name = onConflict === 'replace' ? JSON.stringify(places.map((place) => row[place])) : `${number++}`;
    batch.set(name, row);
    if (batch.size < ROWS_AT_ONCE) continue;
    yield [...batch.values()];
    batch = new Map();
  }
  if (batch.size > 0) yield [...batch.values()];
}

/** PostgreSQL numbers its places; no statement of ours has a question mark in a text. */
function numbered(sql: string): string {
  let number = 0;
  return sql.replaceAll('?', () => `$${++number}`);
}

/** The address without user and password. */
function nameOf(address: string): string {
  const { host, pathname } = new URL(address);
  return `postgres://${host}${pathname}`;
}
