/** Texts that a shell takes as one word as they are. */
const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

/**
 * fillCommand puts values for {placeholders} into a command that a person will paste into a shell. Values come from
 * outside: what a shell would read as more than one word is quoted. A placeholder without a value stands in capitals,
 * and its name is added to `open`.
 */
export function fillCommand(
  command: string,
  names: Readonly<Record<string, string>>,
  open: Set<string>,
): string {
  return command.replace(/\{([a-z][a-z-]*)\}/g, (_, name: string) => {
    const value = Object.hasOwn(names, name) ? names[name] : undefined;
    if (value !== undefined && value !== '') return shellWords(name, value);
    open.add(name);
    return name.toUpperCase().replaceAll('-', '_');
  });
}

/** Lists of subnets and instance types are several words of one option; each is quoted for itself. */
const SEVERAL = ['subnets', 'vm-size'];

function shellWords(name: string, value: string): string {
  return SEVERAL.includes(name) ? value.split(' ').map(shellWord).join(' ') : shellWord(value);
}

/** shellWord is a text as one word of a POSIX shell; control characters are left out, so that no line ends early. */
export function shellWord(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being removed
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '');
  return PLAIN.test(clean) ? clean : `'${clean.replaceAll("'", "'\\''")}'`;
}
