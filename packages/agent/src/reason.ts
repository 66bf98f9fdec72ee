/** Longest reason a client may give for what it asks, in characters. */
export const REASON_LIMIT = 200;

/** isReason tells whether a text can be a reason: one short line, for it is shown on consoles, in tables and in records. */
export function isReason(text: string): boolean {
  // Neither line breaks and other control characters, nor what turns the direction of writing round.
  return text.length <= REASON_LIMIT && !/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(text);
}
