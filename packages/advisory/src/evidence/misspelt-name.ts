import type { VexPredicate } from '../model/index.ts';

/** Forms that names have among the facts. A name of another form is never found there, which shows nothing. */
const CONFIG = /^CONFIG_\w+$/;
const MODULE = /^[A-Za-z0-9_-]+$/;
const PACKAGE = /^(?:(?:go|npm):\S+|[a-z0-9][a-z0-9+.-]*)$/;
const PATH = /^(?!.*(?:^|\/)\.\.(?:\/|$))[^*?]+$/;
const ELF_SYMBOL = /^[^@\s]+$/;
/** Not the names of others for what Debian calls amd64, arm64, armhf, ppc64el and loong64. */
const ARCHITECTURE = /^(?!(?:x86|x64|aarch64|arm|ppc64le|loongarch)$)[a-z0-9]+$/;

/**
 * misspeltName gives the first name of a predicate that is written as no fact is: "F2FS_FS" for CONFIG_F2FS_FS,
 * "f2fs.ko", "x86_64". Its absence would hold for every image.
 */
export function misspeltName(predicate: VexPredicate): string | undefined {
  const [names, form] = namesOf(predicate);
  return names.find((name) => !form.test(name));
}

function namesOf(predicate: VexPredicate): readonly [readonly string[], RegExp] {
  switch (predicate.kind) {
    case 'path-absent':
      return [predicate.paths, PATH];
    case 'package-absent':
      return [predicate.packages, PACKAGE];
    case 'config-off':
      return [predicate.symbols, CONFIG];
    case 'module-absent':
    case 'module-denied':
      return [predicate.modules, MODULE];
    case 'other-architecture':
      return [predicate.affected, ARCHITECTURE];
    case 'symbol-not-imported':
      return [predicate.symbols, ELF_SYMBOL];
    default:
      return [[], PATH];
  }
}
