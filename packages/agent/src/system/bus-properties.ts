export const BUSCTL = '/usr/bin/busctl';

/** parseProperties reads the answer of `busctl --json=short get-property`: one object for each property, one a line. */
export function parseProperties(text: string): readonly unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const value: unknown = JSON.parse(line);
      return value !== null && typeof value === 'object' && 'data' in value ? value.data : undefined;
    });
}
