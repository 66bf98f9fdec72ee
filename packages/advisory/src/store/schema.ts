/** Version of the tables below; a database of another version is refused. */
export const SCHEMA_VERSION = 1;

/** Plain SQL without anything that only SQLite has, but for WITHOUT ROWID; bodies are JSON. */
const SCHEMA = `
CREATE TABLE feeds (
  name TEXT PRIMARY KEY,
  body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE offers (
  feed TEXT NOT NULL, source TEXT NOT NULL, version TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (source, feed)
) WITHOUT ROWID;
CREATE TABLE sightings (
  feed TEXT NOT NULL, source TEXT NOT NULL, version TEXT NOT NULL,
  index_date TEXT NOT NULL, index_sha256 TEXT NOT NULL,
  PRIMARY KEY (source, feed, version)
) WITHOUT ROWID;
CREATE TABLE changelogs (
  source TEXT NOT NULL, version TEXT NOT NULL, state TEXT NOT NULL, detail TEXT NOT NULL,
  PRIMARY KEY (source, version)
) WITHOUT ROWID;
CREATE TABLE changelog_entries (
  source TEXT NOT NULL, version TEXT NOT NULL, number INTEGER NOT NULL, entry_version TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (source, version, number)
) WITHOUT ROWID;
CREATE TABLE claims (
  ecosystem TEXT NOT NULL, package TEXT NOT NULL, feed TEXT NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (ecosystem, package, feed, id, number)
) WITHOUT ROWID;
CREATE INDEX claims_by_id ON claims (id);
CREATE TABLE details (
  id TEXT NOT NULL, feed TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (id, feed)
) WITHOUT ROWID;
CREATE TABLE aliases (
  name TEXT NOT NULL, feed TEXT NOT NULL, other TEXT NOT NULL,
  PRIMARY KEY (name, feed, other)
) WITHOUT ROWID;
CREATE TABLE flaws_seen (
  id TEXT PRIMARY KEY, seen_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE high_water (
  name TEXT PRIMARY KEY, date TEXT NOT NULL
) WITHOUT ROWID;
`;

/** The tables, a statement each. */
export const TABLES: readonly string[] = SCHEMA.split(';')
  .map((statement) => statement.trim())
  .filter((statement) => statement !== '');
