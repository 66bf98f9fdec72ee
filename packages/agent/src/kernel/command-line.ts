/** parseCommandLine reads /proc/cmdline into arguments; double quotes hold blanks together (kernel-parameters). */
export function parseCommandLine(text: string): ReadonlyMap<string, string> {
  const words = text.trim().match(/(?:[^\s"]|"[^"]*")+/g) ?? [];
  return new Map(
    words.map((word) => {
      const [, key = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(word.replaceAll('"', '')) ?? [];
      return [key, value];
    }),
  );
}
