export { indexOf, makeArchiveKey, packageParagraph, serveFiles, suiteFiles } from './fake-archive.ts';
export { makeDeb } from './make-deb.ts';
