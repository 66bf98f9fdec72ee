/** Where records lie, from which everything else in the tree is made. */
export const RECORDS_FOLDER = 'records';
/** What is in the tree, with the hash of each file. */
export const MANIFEST_FILE = 'tree.json';
/** The signature of the manifest (CMS), by the release key. */
export const MANIFEST_SIGNATURE = `${MANIFEST_FILE}.p7s`;

const SEGMENT = /^[A-Za-z0-9.][A-Za-z0-9._~^+-]*$/;

/** isTreePath lets through relative paths of plain names only: nothing leads out, nothing needs quoting. */
export function isTreePath(path: string): boolean {
  return (
    path.length <= 300 &&
    path
      .split('/')
      .every((name) => SEGMENT.test(name) && name !== '.' && name !== '..' && !name.endsWith('.tmp'))
  );
}
