const compiled = new Map<string, RegExp>();

/**
 * matchGlob tells whether a whole text matches a pattern: `*` stands for anything but "/", `**` for anything,
 * every other character for itself.
 */
export function matchGlob(pattern: string, text: string): boolean {
  let expression = compiled.get(pattern);
  if (!expression) {
    const source = pattern
      .split(/(\*+)/)
      .map((part) => (part === '*' ? '[^/]*' : /^\*+$/.test(part) ? '.*' : escapeLiteral(part)))
      .join('');
    expression = new RegExp(`^${source}$`, 's');
    compiled.set(pattern, expression);
  }
  return expression.test(text);
}

function escapeLiteral(text: string): string {
  return text.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');
}

/** matchesAny tells whether one of the patterns matches. */
export function matchesAny(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => matchGlob(pattern, text));
}
