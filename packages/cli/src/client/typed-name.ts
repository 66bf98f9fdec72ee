import { usageError } from '../framework/usage-error.ts';

/**
 * checkTyped refuses to lose something for ever unless a person typed the name of what is lost.
 * @throws cli/usage
 */
export function checkTyped(typed: string | undefined, name: string, what: string): void {
  if (typed === name) return;
  throw usageError(
    `${what}; --confirm is ${typed === undefined ? 'missing' : `"${typed}"`}, expected "${name}"`,
    `If that is what you want, add --confirm ${name}.`,
  );
}
