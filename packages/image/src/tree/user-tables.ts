/** No account of the image has a shell: there is none. */
const NO_LOGIN = '/usr/sbin/nologin';

/**
 * withoutShells rewrites a passwd table so that no account can log in.
 * @param table lines of passwd(5), as base-passwd ships them
 */
export function withoutShells(table: string): string {
  return table
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => [...line.split(':').slice(0, 6), NO_LOGIN].join(':'))
    .concat('')
    .join('\n');
}
