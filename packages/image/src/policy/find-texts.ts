const WINDOW_BYTES = 8 * 2 ** 20;

/**
 * findTexts tells which of the texts occur in some bytes, in the order of the texts. All are looked for in one pass:
 * programs have a hundred megabytes, and a search for each text alone was a quarter of a small rebuild.
 * @param texts none of them empty
 */
export function findTexts(bytes: Buffer, texts: readonly string[], windowBytes = WINDOW_BYTES): string[] {
  // One character a byte, so that positions and windows are those of the bytes whatever the texts are.
  const wanted = texts.map((text) => ({ text, needle: Buffer.from(text).toString('latin1') }));
  // The longest first: where several match at one place, the others are starts of it.
  const needles = [...new Set(wanted.map(({ needle }) => needle))].sort((a, b) => b.length - a.length);
  const longest = needles[0]?.length;
  if (longest === undefined) return [];
  const pattern = new RegExp(needles.map(literally).join('|'), 'g');
  const found = new Set<string>();
  for (let start = 0; start < bytes.length; start += windowBytes) {
    // Windows overlap, so that a text across their border is whole in one of them.
    const window = bytes.toString('latin1', start, Math.min(bytes.length, start + windowBytes + longest - 1));
    pattern.lastIndex = 0;
    for (let match = pattern.exec(window); match; match = pattern.exec(window)) {
      for (const needle of needles) if (match[0].startsWith(needle)) found.add(needle);
      // Another text may begin inside this one.
      pattern.lastIndex = match.index + 1;
    }
  }
  return wanted.filter(({ needle }) => found.has(needle)).map(({ text }) => text);
}

/** A text as a pattern that matches just it. */
function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
