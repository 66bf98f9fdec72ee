/**
 * commandLines shows a command in indented lines of at most that many columns: a long one is broken before its options
 * with the backslash of a shell, so that it can still be pasted. An option that is longer keeps a line to itself.
 */
export function commandLines(command: string, widthChars: number): readonly string[] {
  const lines: string[] = [];
  for (const piece of beforeOptions(command)) {
    const last = lines.at(-1);
    // Two columns are the backslash's.
    if (last !== undefined && last.length + 1 + piece.length + 2 <= widthChars)
      lines[lines.length - 1] = `${last} ${piece}`;
    else lines.push(`${last === undefined ? '  ' : '    '}${piece}`);
  }
  return lines.map((line, i) => (i === lines.length - 1 ? line : `${line} \\`));
}

/** A command in pieces that each begin with an option; what a shell reads as one word stays whole. */
function beforeOptions(command: string): readonly string[] {
  const words = command.match(/(?:\\.|'[^']*'|[^ ])+/g) ?? [command];
  const pieces: string[] = [];
  for (const word of words) {
    const last = pieces.at(-1);
    if (last === undefined || word.startsWith('--')) pieces.push(word);
    else pieces[pieces.length - 1] = `${last} ${word}`;
  }
  return pieces;
}
