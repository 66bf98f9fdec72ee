// No name of a package mirror and no path of a developer's machine is committed: both come from the machine's settings.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { finish, readRepoFile, repoFiles, root } from './repo-files.ts';

/** Where this machine keeps the addresses it fetches packages from. */
const settingFiles = [
  ...globSync('/etc/apt/{sources.list,sources.list.d/*,apt.conf,apt.conf.d/*,mirrors/*}'),
  ...globSync('/etc/{npmrc,pip.conf}'),
  ...['.npmrc', '.config/pip/pip.conf', '.config/go/env'].map((name) => join(homedir(), name)),
].filter((path) => existsSync(path));

const fromSettings = settingFiles
  .filter((path) => !path.endsWith('~'))
  .flatMap((path) => hostsIn(readFileSync(path, 'utf8')));
const fromEnvironment = Object.entries(process.env)
  .filter(([name]) => /proxy|registry|mirror|index_url/i.test(name))
  .flatMap(([, value]) => hostsIn(value ?? ''));

/** The places everyone's settings name by default, put together here so that this file does not hold them. */
const usual = [
  ['deb', 'debian', 'org'],
  ['security', 'debian', 'org'],
  ['snapshot', 'debian', 'org'],
  ['ftp', 'debian', 'org'],
  ['registry', 'npmjs', 'org'],
  ['proxy', 'golang', 'org'],
  ['sum', 'golang', 'org'],
].map((labels) => labels.join('.'));

/** Settings name these too, but they are places of projects before they are places of packages. */
const projectHosts = ['github.com', 'gitlab.com', 'nodejs.org', 'www.debian.org'];

const forbidden = [...new Set([...usual, ...fromSettings, ...fromEnvironment])].filter(
  (host) => !/^(localhost|127\.|\[?::1)/.test(host) && !projectHosts.includes(host),
);
const machinePaths = [root.replace(/\/$/, ''), homedir()].filter((path) => path.split('/').length > 2);

const problems = repoFiles()
  .filter((path) => !/\.(png|deb|gpg|der|raw|xz|zst|gz|bin)$/.test(path))
  .flatMap((path) => {
    const text = readRepoFile(path);
    return [...forbidden, ...machinePaths]
      .filter((name) => text.includes(name))
      .map((name) => `${path}: names ${name}, expected it to come from the machine's settings`);
  });

finish('check-hosts', problems);

function hostsIn(text: string): string[] {
  return [...text.matchAll(/\bhttps?:\/\/(?:[^@/\s"']*@)?([a-z0-9][a-z0-9.-]*\.[a-z0-9-]+)/gi)].map(
    ([, host = '']) => host.toLowerCase(),
  );
}
