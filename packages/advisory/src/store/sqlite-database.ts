import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { insertSql, type Mark, type SqlDatabase, type SqlSession } from './database.ts';

/** How long a writer waits for another process. */
const BUSY_TIMEOUT_MS = 20_000;
const PRAGMAS: Readonly<Record<Mark, string>> = { schema: 'user_version', rules: 'application_id' };

/** openSqliteDatabase opens, or makes, a file (":memory:" for tests). Throws errors of node:sqlite. */
export function openSqliteDatabase(path: string): SqlDatabase {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;');
  const session = sessionOver(database);
  const inTurn = path === ':memory:' ? queue() : turnOf(resolve(path));
  return {
    name: path,
    contains: (column) => `instr(${column}, ?) > 0`,
    // One connection has one state: a question waits for the transaction of this process that is under way.
    all: (sql, ...values) => inTurn(() => session.all(sql, ...values)),
    each: (sql, lists) => inTurn(() => session.each(sql, lists)),
    insert: (insertion) => inTurn(() => session.insert(insertion)),
    transaction: (work) =>
      inTurn(async () => {
        // A writer that began as a reader could find the file changed under it.
        database.exec('BEGIN IMMEDIATE');
        try {
          const result = await work(session);
          database.exec('COMMIT');
          return result;
        } catch (reason) {
          database.exec('ROLLBACK');
          throw reason;
        }
      }),
    readMark: async (within, mark) => {
      const pragma = PRAGMAS[mark];
      return Number((await within.all(`PRAGMA ${pragma}`))[0]?.[pragma] ?? 0);
    },
    writeMark: async (_, mark, value) => database.exec(`PRAGMA ${PRAGMAS[mark]} = ${Math.trunc(value)}`),
    makeTables: async (_, statements) => database.exec(statements.join(';\n')),
    close: async () => database.close(),
  };
}

function sessionOver(database: DatabaseSync): SqlSession {
  const prepared = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = prepared.get(sql) ?? database.prepare(sql);
    prepared.set(sql, known);
    return known;
  };
  return {
    all: async (sql, ...values) => prepare(sql).all(...values),
    each: async (sql, lists) => {
      const statement = prepare(sql);
      return lists.map((values) => statement.all(...values));
    },
    insert: async (insertion) => {
      const statement = prepare(insertSql(insertion, 1));
      for (const row of insertion.rows) statement.run(...row);
    },
  };
}

const turns = new Map<string, ReturnType<typeof queue>>();

/**
 * The queue of a file, for all who have it open in this process: SQLite waits for another writer by standing still, and the
 * writer it waits for could not go on then.
 */
function turnOf(path: string): ReturnType<typeof queue> {
  const turn = turns.get(path) ?? queue();
  turns.set(path, turn);
  return turn;
}

/** Work is done one after the other; what fails does not hold up what follows. */
function queue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}
