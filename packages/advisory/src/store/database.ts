/** A value as our tables hold it. */
export type SqlValue = string | number;
export type SqlRow = Readonly<Record<string, unknown>>;

/** What happens to a row whose key is there already. */
export type OnConflict = 'keep' | 'replace' | 'fail';

/** Rows for one table; their values stand in the order of the columns. */
export interface Insertion {
  readonly table: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
  readonly onConflict: OnConflict;
  readonly rows: Iterable<readonly SqlValue[]>;
}

/** Statements that see and change one state. Places of values are written "?". */
export interface SqlSession {
  all(sql: string, ...values: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /** The same question for each list of values; the answers in their order. */
  each(sql: string, lists: readonly (readonly SqlValue[])[]): Promise<readonly (readonly SqlRow[])[]>;
  insert(insertion: Insertion): Promise<void>;
}

/** A database, as far as the store of advisories needs one: SQLite in a file, or PostgreSQL. */
export interface SqlDatabase extends SqlSession {
  /** For messages; holds no password. */
  readonly name: string;
  /** Condition that the text in a column contains the text at the next place. */
  contains(column: string): string;
  /** Writers queue from their first statement on; what throws leaves nothing behind. */
  transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T>;
  /** Small numbers about the database itself; 0 when it was never set. */
  readMark(session: SqlSession, mark: Mark): Promise<number>;
  writeMark(session: SqlSession, mark: Mark, value: number): Promise<void>;
  /** Makes the tables; each statement as in schema.ts. */
  makeTables(session: SqlSession, statements: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** "schema": version of the tables; "rules": by which rules changelogs were read. */
export type Mark = 'schema' | 'rules';

/** insertSql is the statement for `rowCount` rows, in SQL that both databases understand. */
export function insertSql({ table, columns, key, onConflict }: Insertion, rowCount: number): string {
  const row = `(${columns.map(() => '?').join(', ')})`;
  const others = columns.filter((column) => !key.includes(column));
  const replace = `DO UPDATE SET ${others.map((column) => `${column} = excluded.${column}`).join(', ')}`;
  const conflict = {
    fail: '',
    keep: ' ON CONFLICT DO NOTHING',
    replace: ` ON CONFLICT (${key.join(', ')}) ${replace}`,
  };
  const rows = Array.from({ length: rowCount }, () => row).join(', ');
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${rows}${conflict[onConflict]}`;
}
