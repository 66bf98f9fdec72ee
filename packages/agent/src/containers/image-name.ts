import { PlinthError } from '@plinth/base';

const HOST =
  /^(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(?=:)|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const PATH = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const LIMIT_CHARS = 512;

/**
 * checkImageName demands the whole name of an image, "HOST[:PORT]/PATH" with a tag or a digest: nobody guesses a registry
 * or a version on a node. @throws containers/image-invalid
 */
export function checkImageName(name: string): string {
  const problem = problemOf(name);
  if (problem === undefined) return name;
  throw new PlinthError(
    'containers/image-invalid',
    `Cannot use the image name: ${problem}, expected REGISTRY/PATH:TAG or REGISTRY/PATH@DIGEST`,
  );
}

function problemOf(name: string): string | undefined {
  if (name.length > LIMIT_CHARS) return `it is longer than ${LIMIT_CHARS} characters`;
  const slash = name.indexOf('/');
  if (slash < 0 || !HOST.test(name.slice(0, slash))) return 'it names no registry';
  const [rest = '', digest, ...more] = name.slice(slash + 1).split('@');
  const colon = rest.indexOf(':');
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  if (!PATH.test(path)) return 'its path has characters that are not allowed';
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest)))
    return 'its digest is none of sha256';
  if (tag !== undefined && !TAG.test(tag)) return 'its tag has characters that are not allowed';
  return tag === undefined && digest === undefined ? 'it has neither tag nor digest' : undefined;
}
