/** Keys that mean something here; others are "other". */
export type Key =
  | { readonly kind: 'digit'; readonly value: number }
  | { readonly kind: 'letter'; readonly value: string }
  | {
      readonly kind:
        | 'next'
        | 'previous'
        | 'up'
        | 'down'
        | 'page-up'
        | 'page-down'
        | 'home'
        | 'end'
        | 'escape'
        | 'interrupt'
        | 'other';
    };

const SEQUENCES: Readonly<Record<string, Exclude<Key['kind'], 'digit' | 'letter'>>> = {
  '[A': 'up',
  '[B': 'down',
  '[C': 'next',
  '[D': 'previous',
  OA: 'up',
  OB: 'down',
  OC: 'next',
  OD: 'previous',
  '[Z': 'previous',
  '[5~': 'page-up',
  '[6~': 'page-down',
  '[H': 'home',
  '[F': 'end',
  OH: 'home',
  OF: 'end',
  '[1~': 'home',
  '[4~': 'end',
};

const CONTROLS: Readonly<Record<string, Exclude<Key['kind'], 'digit' | 'letter'>>> = {
  '\t': 'next',
  '\u0003': 'interrupt',
  '\u0004': 'interrupt',
};

// A control sequence (ECMA-48), a function key of the keypad, a lone escape, or one character.
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what a keyboard sends
const TOKEN = /\u001b(\[[0-9;?]*[A-Za-z~]|O[A-Za-z])|\u001b|[^\u001b]/gu;

/** decodeKeys reads what a terminal sent in one piece. A sequence that is cut off is keys of no meaning. */
export function decodeKeys(text: string): readonly Key[] {
  return [...text.matchAll(TOKEN)].map(([token, sequence]): Key => {
    if (sequence !== undefined) return { kind: SEQUENCES[sequence] ?? 'other' };
    if (token === '\u001b') return { kind: 'escape' };
    if (/^[0-9]$/.test(token)) return { kind: 'digit', value: Number(token) };
    if (/^[A-Za-z?]$/.test(token)) return { kind: 'letter', value: token };
    return { kind: CONTROLS[token] ?? 'other' };
  });
}
