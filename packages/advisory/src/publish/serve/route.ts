import { CVRF_FOLDER } from '../cvrf/updates.ts';
import { isTreePath } from '../tree/tree-path.ts';

/** What a request asks for: a file of the tree, or the list of months, narrowed to some. */
export type Route =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'updates'; readonly id: string };

const PATH_LIMIT = 2048;
const MONTH = /^(\d{4})-([A-Za-z]{3})$/;

/**
 * routeOf finds what a path of a request names: files as they lie there, and the addresses of Microsoft's API, which have no endings and
 * answer in the form the reader accepts. Undefined: nothing has that name.
 * @param requestPath as it came, with its escapes
 * @param accept the header; absent: anything
 */
export function routeOf(requestPath: string, accept: string | undefined): Route | undefined {
  const path = requestPath.length > PATH_LIMIT ? undefined : decode(requestPath.split(/[?#]/, 1)[0] ?? '');
  if (path === undefined || !path.startsWith('/')) return undefined;
  return cvrfRoute(path, accept) ?? fileRoute(path);
}

function fileRoute(path: string): Route | undefined {
  const name = path.endsWith('/') ? `${path}index.html` : path;
  return isTreePath(name.slice(1)) ? { kind: 'file', path: name.slice(1) } : undefined;
}

/** The list is JSON unless XML is asked for, a document XML unless JSON is: so does the API that this follows. */
function cvrfRoute(path: string, accept: string | undefined): Route | undefined {
  const [, version, rest = ''] = /^\/cvrf(\/v[0-9.]+)?\/(.+)$/.exec(path) ?? [];
  if (version !== undefined && version !== CVRF_FOLDER.slice('cvrf'.length)) return undefined;
  if (/^updates$/i.test(rest)) return file(`updates.${formOf(accept, 'json')}`);
  const [, inBrackets, afterSlash] = /^updates(?:\('([^'()/]+)'\)|\/([^'()/]+))$/i.exec(rest) ?? [];
  const id = inBrackets ?? afterSlash;
  if (id !== undefined) return { kind: 'updates', id };
  const [, year = '', month = ''] = MONTH.exec(rest.replace(/^cvrf\//i, '')) ?? [];
  if (year === '') return undefined;
  const name = `${year}-${month.slice(0, 1).toUpperCase()}${month.slice(1).toLowerCase()}`;
  return file(`cvrf/${name}.${formOf(accept, 'xml')}`);
}

function file(path: string): Route {
  return { kind: 'file', path: `${CVRF_FOLDER}/${path}` };
}

function formOf(accept: string | undefined, fallback: 'json' | 'xml'): 'json' | 'xml' {
  const types = (accept ?? '').split(',').map((part) => part.split(';', 1)[0]?.trim().toLowerCase());
  const [json, xml] = [
    types.indexOf('application/json'),
    types.findIndex((type) => /^(application|text)\/xml$/.test(type ?? '')),
  ];
  if (json >= 0 && (xml < 0 || json < xml)) return 'json';
  return xml >= 0 ? 'xml' : fallback;
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    // Escapes that are none name nothing.
    return undefined;
  }
}
