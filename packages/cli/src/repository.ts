import { fileURLToPath } from 'node:url';

/** The folder these tools live in: it holds os/, the node agent's source and package.json. */
export const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url));
