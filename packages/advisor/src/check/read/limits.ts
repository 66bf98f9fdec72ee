/** Bounds on what is read, checked before anything is parsed. */
export const LIMITS = {
  /** Of one document, or one item of a list. etcd takes objects of 1.5 MiB; the largest known CRDs stay below. */
  documentBytes: 4 * 1024 * 1024,
  /** Of all input together. */
  totalBytes: 1024 * 1024 * 1024,
  documents: 200_000,
  files: 100_000,
  /** Folders below folders. */
  folders: 64,
  /** Of YAML in one document: what some mistakes cost the parser grows with their square. */
  tokens: 128 * 1024,
  /** Maps and lists inside each other; brackets of scripts in a text are counted too. */
  depth: 1000,
  /** What aliases may unfold to, by the count of the yaml library. */
  aliases: 100,
  /** Problems of reading that are listed; more are counted. */
  problems: 200,
} as const;
