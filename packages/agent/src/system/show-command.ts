const PROGRAM_LIMIT_CHARS = 256;
const WORDS_MAXIMUM = 60;
const LEFT_OUT = '…';

/**
 * showCommand tells a command line without what may be secret in it: the program, and the names of its options. Values,
 * words that are no options, and all after "--" are left out, and so is what is written together with a short option
 * ("-pSECRET"): which of them are secrets nobody can tell, and every reader sees this.
 */
export function showCommand(words: readonly string[]): string {
  const [first = '', ...rest] = words;
  // Some programs write a status of their own over their name, with blanks in it.
  const program = first.split(/[\s=]/, 1)[0] ?? '';
  const end = rest.indexOf('--');
  const options = end < 0 ? rest : rest.slice(0, end);
  const shown: string[] = [program.slice(0, PROGRAM_LIMIT_CHARS)];
  let omitted = program.length < first.length || end >= 0;
  for (const word of options.slice(0, WORDS_MAXIMUM)) {
    const option = showOption(word);
    if (option === '') omitted = true;
    else shown.push(option);
  }
  if (omitted || options.length > WORDS_MAXIMUM) shown.push(LEFT_OUT);
  return shown.join(' ').trim();
}

/** An option's name, "" for any other word. */
function showOption(word: string): string {
  const long = /^(--[A-Za-z][A-Za-z0-9-]{0,63})(=.*)?$/s.exec(word);
  if (long) return `${long[1]}${long[2] === undefined ? '' : `=${LEFT_OUT}`}`;
  const short = /^(-[A-Za-z0-9])(.*)$/s.exec(word);
  if (!short) return '';
  return `${short[1]}${short[2] === '' ? '' : LEFT_OUT}`;
}

/** splitCommandLine reads /proc/PID/cmdline: words that end with NUL. A program may have overwritten it with a single text. */
export function splitCommandLine(bytes: Buffer): readonly string[] {
  const words = bytes.toString('utf8').split('\0');
  while (words.at(-1) === '') words.pop();
  return words;
}
