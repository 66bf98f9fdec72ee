/** insideAny tells whether a path is one of the folders or lies below one. */
export function insideAny(folders: readonly string[], path: string): boolean {
  return folders.some((folder) => {
    const prefix = folder.endsWith('/') ? folder : `${folder}/`;
    return path === folder || path.startsWith(prefix);
  });
}
