import { Buffer } from 'node:buffer';
import type { RenderedFile } from '../../framework/kind.ts';
import { hasPath } from './mirror-url.ts';
import { ANY_HOST, type Registries, type Registry, type RegistryCredentials } from './schema.ts';

/** containerd's config_path, see os/etc/containerd/config.toml. */
const REGISTRY_FOLDER = '/etc/containerd/certs.d';

/** A server as hosts.toml describes it. */
interface Server {
  /** Undefined: the registry itself, as containerd knows it. */
  readonly url: string | undefined;
  readonly overridePath: boolean;
  readonly authority: { readonly name: string; readonly pem: string } | undefined;
  readonly credentials: RegistryCredentials | undefined;
}

/**
 * renderRegistries gives the folders that containerd looks into for each pull: hosts.toml and the certificates it names
 * (containerd's docs/hosts.md). A registry that is not in the config has none.
 */
export function renderRegistries(registries: Registries | undefined): readonly RenderedFile[] {
  return (registries?.registries ?? []).flatMap(renderRegistry);
}

function renderRegistry(registry: Registry): readonly RenderedFile[] {
  const { host, fallback, credentials } = registry;
  const folder = `${REGISTRY_FOLDER}/${folderOf(host)}`;
  const mirrors = registry.mirrors.map(
    (mirror, index): Server => ({
      url: mirror.url,
      overridePath: hasPath(mirror.url),
      authority: authorityFile(`ca-mirror-${index + 1}.pem`, mirror.certificateAuthority),
      credentials: mirror.credentials,
    }),
  );
  const own: Server = {
    url: serverOf(host),
    overridePath: false,
    authority: authorityFile('ca.pem', registry.certificateAuthority),
    credentials,
  };
  // containerd always asks one server last; without the registry it is the last mirror.
  const [last, before] = fallback ? [own, mirrors] : [mirrors.at(-1) ?? own, mirrors.slice(0, -1)];
  const servers = [...before, last];
  const holdsSecret = servers.some((each) => each.credentials !== undefined);
  return [
    ...servers.flatMap(({ authority }) =>
      authority ? [file(`${folder}/${authority.name}`, `${authority.pem.trimEnd()}\n`, false)] : [],
    ),
    file(`${folder}/hosts.toml`, hostsToml(before, last), holdsSecret),
  ];
}

function hostsToml(before: readonly Server[], last: Server): string {
  const lines = [
    ...(last.url === undefined ? [] : [`server = ${quoted(last.url)}`]),
    ...settingsOf(last),
    ...headerOf(last, 'header'),
    ...before.flatMap((server) => {
      const table = `host.${quoted(server.url ?? '')}`;
      return [
        '',
        `[${table}]`,
        'capabilities = ["pull", "resolve"]',
        ...settingsOf(server),
        ...headerOf(server, `${table}.header`),
      ];
    }),
  ];
  return `${lines.join('\n').trimStart()}\n`;
}

function settingsOf({ overridePath, authority }: Server): string[] {
  return [
    ...(overridePath ? ['override_path = true'] : []),
    ...(authority ? [`ca = ${quoted(authority.name)}`] : []),
  ];
}

/** containerd knows no user names in this file, but it sends what stands here, to servers of tokens as well. */
function headerOf({ credentials }: Server, table: string): string[] {
  if (!credentials) return [];
  const { username, password } = credentials;
  const basic = Buffer.from(`${username}:${password}`).toString('base64');
  return ['', `[${table}]`, `Authorization = ${quoted(`Basic ${basic}`)}`];
}

/** As containerd makes it from the host of an image: a colon is not for names of folders. */
function folderOf(host: string): string {
  return host === ANY_HOST ? '_default' : host.replace(/:(\d+)$/, '_$1_');
}

/** containerd takes a registry on the node itself for one without TLS, unless it is told where it is. */
function serverOf(host: string): string | undefined {
  return /^(localhost|127\.[0-9.]+)(:\d+)?$/.test(host) ? `https://${host}` : undefined;
}

function authorityFile(name: string, pem: string | undefined): Server['authority'] {
  return pem === undefined ? undefined : { name, pem };
}

/** A text of TOML. What comes here has no quotes, backslashes or control characters; see the schema. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

function file(path: string, text: string, secret: boolean): RenderedFile {
  return { path, mode: secret ? 0o600 : 0o644, text, secret };
}
