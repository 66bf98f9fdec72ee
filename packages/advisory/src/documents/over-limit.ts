const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * overLimit tells which limit a text exceeds once it is read as JSON; undefined when none. It counts outside strings and
 * parses nothing, so that neither recursion nor a flood of values reaches the parser; 30 MB take 0.1 s. Pure.
 * @param limits `depth`: brackets inside each other; `nodes`: values, about, default any number
 */
export function overLimit(
  text: string,
  limits: { readonly depth: number; readonly nodes?: number },
): 'depth' | 'nodes' | undefined {
  const mostNodes = limits.nodes ?? Number.POSITIVE_INFINITY;
  let [depth, nodes] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) {
      at = endOfString(text, at);
    } else if (character === OPEN_BRACE || character === OPEN_BRACKET) {
      if (++depth > limits.depth) return 'depth';
      nodes++;
    } else if (character === CLOSE_BRACE || character === CLOSE_BRACKET) depth--;
    else if (character === COMMA) nodes++;
    if (nodes > mostNodes) return 'nodes';
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}
