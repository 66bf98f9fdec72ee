/** Bounds on what is read of a node's logs. */
export const OBSERVED_LIMITS = {
  /** Characters of a line that are looked at; a longer one is counted as unread. */
  lineChars: 8_192,
  /** Characters of a path or name that are kept. */
  textChars: 1_024,
  /** Refusals of one node that are kept. */
  refusals: 20_000,
  /** Things that one container was refused, told one by one; the rest is told together. */
  subjects: 20,
  /** Different texts of one finding that are counted. */
  messages: 100,
  /** The last lines of each container's log. */
  containerLines: 1_000,
  /** Containers of one node whose logs are read. */
  containers: 250,
  /** Logs that could not be read and are told one by one. */
  unread: 50,
} as const;
