import { PlinthError } from '@plinth/base';

/** Where an artefact goes in a registry. */
export interface OciReference {
  /** "https://registry.example", or "http://127.0.0.1:5000": plain HTTP is for this machine only. */
  readonly origin: string;
  /** Host and port as a person wrote them; names the credentials. */
  readonly host: string;
  readonly repository: string;
  /** Absent: the version names it. */
  readonly tag?: string;
}

const PREFIX = 'oci://';
const HOST = /^(\[[0-9a-f:]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:\d{1,5})?$/;
// Names and tags of the distribution specification 1.1.
const REPOSITORY = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;

/** isOciReference tells an address of a registry from a folder. */
export function isOciReference(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** parseOciReference reads oci://HOST[:PORT]/NAME[:TAG]. @throws publish/request-invalid */
export function parseOciReference(text: string): OciReference {
  const [, host = '', name = '', tag] = /^oci:\/\/([^/]+)\/([^:]+)(?::(.+))?$/.exec(text) ?? [];
  const isFit = HOST.test(host) && REPOSITORY.test(name) && name.length <= 255;
  if (!isFit || (tag !== undefined && !TAG.test(tag))) {
    throw new PlinthError(
      'publish/request-invalid',
      `Cannot publish to "${text}": no address of an artefact, expected oci://HOST/NAME:TAG in small letters`,
    );
  }
  const scheme = LOOPBACK.test(host) ? 'http' : 'https';
  return { origin: `${scheme}://${host}`, host, repository: name, ...(tag !== undefined && { tag }) };
}

/** tagOf turns a version into a tag, which has neither "~" nor "^". */
export function tagOf(version: string): string {
  return version.replaceAll('~', '-').replaceAll('^', '_');
}
