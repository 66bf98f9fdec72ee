/** One paragraph of a Debian control file: field names in lower case, continuation lines joined by "\n". */
export type Paragraph = ReadonlyMap<string, string>;

/**
 * parseParagraphs reads the paragraphs of a control file (deb822(5)) one by one, so that an index of fifty
 * megabytes is never held twice. Lines that are neither field nor continuation are ignored, as apt does.
 * @param wanted keep only these fields (lower case); absent: all
 */
export function* parseParagraphs(text: string, wanted?: ReadonlySet<string>): Generator<Paragraph> {
  let fields = new Map<string, string>();
  let current: string | undefined;
  for (const line of lines(text)) {
    if (line.trim() === '') {
      if (fields.size > 0) yield fields;
      fields = new Map();
      current = undefined;
    } else if (line.startsWith('#')) {
      // A comment does not end the field it stands in.
    } else if (line.startsWith(' ') || line.startsWith('\t')) {
      if (current !== undefined) fields.set(current, `${fields.get(current) ?? ''}\n${line.trim()}`);
    } else {
      const colon = line.indexOf(':');
      const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
      current = name !== '' && (wanted?.has(name) ?? true) ? name : undefined;
      if (current !== undefined) fields.set(current, line.slice(colon + 1).trim());
    }
  }
  if (fields.size > 0) yield fields;
}

function* lines(text: string): Generator<string> {
  let start = 0;
  while (start < text.length) {
    const end = text.indexOf('\n', start);
    const stop = end < 0 ? text.length : end;
    yield text.slice(start, text[stop - 1] === '\r' ? stop - 1 : stop);
    start = stop + 1;
  }
}
