import { configSources, type MetadataService, metadataServices } from '@plinth/agent';
import {
  CARRIED_CONFIG,
  configLimits,
  ignitionVersions,
  partTypes,
  refusedCloudConfig,
  refusedIgnition,
} from '@plinth/config';
import { markdownTable, page } from './page.ts';

/** sourcesPage documents where a node looks for its machine config, and which user data of other systems it reads. */
export function sourcesPage(): string {
  return page(
    'Where a machine config comes from',
    'packages/agent/src/config and packages/config/src/user-data',
    'A node looks in these places, in this order. The first that has a config decides, also when it is wrong: an older config must not hide a mistake in the one that was given.',
    markdownTable(
      ['', 'Source', 'What is read'],
      configSources.map(({ name, what }, index) => [`${index + 1}`, name, what]),
    ),
    'A node without a config that it can use waits in maintenance, says on its console what is wrong with line and column, and looks again by itself. What was given is kept on `/var`. A config that was applied with `plinth apply` stays in effect until the machine is given another text than before; one that cannot be used takes no node down that has a good one: it is told by the check `machine-config`.',
    'A source gives at most 256 KiB. There is no address of a config on the kernel command line, and no system credential of systemd: see [ADR 0026](../adr/0026-sources-of-a-config.md).',
    ...FIRST_CONFIG,
    '## Metadata services',
    'Only the service of the cloud that the firmware names is asked, never an address on the chance that somebody answers. A node that has a config asks once, for at most 2 s, and then goes on without; one that has none asks again, 5 s to 60 s apart, as far as the service itself asks for patience. No redirect is followed and no proxy is used. Status 404, or an empty answer, means that the machine was made without user data.',
    markdownTable(
      ['Cloud', 'Source', 'Known by (`/sys/class/dmi/id`)', 'Asked', ''],
      metadataServices.map((service) => [
        service.title,
        `\`${service.name}\``,
        service.dmi.map(({ field, is }) => `\`${field}\`: ${is.join(', ')}`).join('; '),
        askedFor(service),
        service.note ?? '',
      ]),
    ),
    'Each is tested against a server of the shape that is documented for it; none has been tried on the cloud itself yet. User data is no place for secrets: every program on the machine that may use the network can read it, pods on the network of the host included.',
    '## User data',
    `Every source may hold documents of the machine config, \`#cloud-config\`, an Ignition config (${ignitionVersions[0]} to ${ignitionVersions.at(-1)}), a MIME multipart of these, or any of them as gzip. Whatever cannot be honoured is an error with its place and what to do instead; nothing is left out in silence. \`plinth config validate FILE\` says beforehand what a node would say.`,
    `What a node has to know in any case is its name (\`Machine\`) and who vouches for its clients (\`ApiAccess\`). Other systems have no word for the second: put the documents into a part of their own, or into the file \`${CARRIED_CONFIG}\`, which is read and never written.`,
    ['```', MULTIPART, '```'].join('\n'),
    ['```', CLOUD_CONFIG, '```'].join('\n'),
    `- Each thing is said once: two parts that give the same document are an error, not a merge. Nothing is filled in (\`## template: jinja\`), fetched (\`#include\`, \`http\` sources) or run.\n- Parts of a multipart have one of the types ${partTypes.map((type) => `\`${type}\``).join(', ')}; a general type is told by its text. Base64 and quoted-printable are decoded.\n- All of it together is at most ${configLimits.bytes / 1024} KiB, and so is all that gzip unpacks to.`,
    '### #cloud-config',
    markdownTable(['Key', 'Becomes'], HONOURED),
    'Other keys are refused, unless they ask for nothing (`[]`, `{}`, null) or for what is so on every node (`ssh_pwauth: false`, `timezone: UTC`):',
    refusals(refusedCloudConfig),
    '### Ignition',
    `\`storage.files\` with the paths \`${CARRIED_CONFIG}\` and \`/etc/hostname\`; the source is a data URL, perhaps with \`compression: gzip\` and \`verification.hash\`. Refused:`,
    refusals({
      ...refusedIgnition.top,
      ...under('ignition', refusedIgnition.ignition),
      ...under('storage', refusedIgnition.storage),
      ...under('storage.files', refusedIgnition.file),
      ...under('storage.files.contents', refusedIgnition.contents),
    }),
  );
}

const FIRST_CONFIG = [
  '## By hand, in maintenance',
  'A node that never had a config listens on port 7546 while it waits, and shows the fingerprint of its certificate on its console. `plinth apply FILE --insecure --endpoint ADDRESS --fingerprint sha256:…` gives it its first config; without the fingerprint the command shows what it sees and asks. Callers have no certificate then, and may ask what waits, ask what a config would do, and give it: three calls, slowed down by address, all in the audit log. With the first config this ends for good, also where that config is damaged later; only a reset makes a new node. A node does not open this door when `/var` is not on a disk, or while its cloud or its server has not answered. See [ADR 0030](../adr/0030-first-config.md).',
  '## An address',
  'The text is JSON: `{"url": "https://…", "authority": "PEM"}`, in the fw_cfg file as it is, in SMBIOS as base64. The server must show a certificate of that authority and of no other; an address without it is refused. Status 200 with the config is the only answer: redirects are not followed, and everything else is asked again, as a metadata service is.',
  '## Config drives',
  'A drive or partition with a volume named `cidata` (NoCloud) or `config-2` (OpenStack), in any case of letters, ISO 9660 or FAT. It is looked for only before the node has its first config, and read without being mounted: at most 256 KiB a file and 8 MiB in all. Two such volumes are an error.',
  '| Volume | File | What becomes of it |\n| --- | --- | --- |\n| `cidata` | `user-data` | as all user data, below |\n|  | `meta-data` | `local-hostname` (or `hostname`) is the name of a node whose user data has none; another name than there is an error. `instance-id` and `dsmode` ask for nothing; other keys are refused |\n|  | `network-config` | version 2: `ethernets` with `match.macaddress`, `bonds`, `vlans`; becomes a document of kind Network, or an error with its place |\n|  | `vendor-data` | must ask for nothing |\n| `config-2` | `openstack/latest/user_data` | as all user data, below |\n|  | `meta_data.json` | `hostname` without its domain, for a node whose user data has no name |\n|  | `network_data.json` | must ask for DHCP only, unless the user data has a document of kind Network |\n|  | `vendor_data.json` | must have nothing under `cloud-init` |',
];

const HONOURED = [
  ['`hostname`, `fqdn`', '`Machine.name`; without a domain, for a node has a name of one word'],
  ['`ntp.servers`, `ntp.pools`', '`Network.ntp.servers`'],
  ['`ca_certs.trusted`', '`TrustedCAs`, each named after its hash'],
  [`\`write_files\` with path \`${CARRIED_CONFIG}\``, 'the documents in it; plain, `b64` or `gz+b64`'],
  ['`write_files` with path `/etc/hostname`', '`Machine.name`'],
];

const AUTHORITY = `apiVersion: plinth.dev/v1alpha1
kind: ApiAccess
clientAuthorities:
  - |
    -----BEGIN CERTIFICATE-----
    ...`;

const MULTIPART = `Content-Type: multipart/mixed; boundary="part"
MIME-Version: 1.0

--part
Content-Type: text/cloud-config

hostname: node-1
--part
Content-Type: text/plain

${AUTHORITY}
--part--`;

const CLOUD_CONFIG = `#cloud-config
hostname: node-1
write_files:
  - path: ${CARRIED_CONFIG}
    content: |
${AUTHORITY.replaceAll(/^/gm, '      ')}`;

interface Refusal {
  readonly why: string;
  readonly instead: string;
}

/** Keys of one reason in one row. */
function refusals(refused: Readonly<Record<string, Refusal>>): string {
  const rows = new Map<string, { keys: string[]; refusal: Refusal }>();
  for (const [key, refusal] of Object.entries(refused)) {
    const reason = `${refusal.why}\n${refusal.instead}`;
    const row = rows.get(reason) ?? { keys: [], refusal };
    row.keys.push(`\`${key}\``);
    rows.set(reason, row);
  }
  return markdownTable(
    ['Keys', 'Why', 'Instead'],
    [...rows.values()].map(({ keys, refusal }) => [keys.join(', '), refusal.why, refusal.instead]),
  );
}

function under(path: string, refused: Readonly<Record<string, Refusal>>): Record<string, Refusal> {
  return Object.fromEntries(Object.entries(refused).map(([key, refusal]) => [`${path}.${key}`, refusal]));
}

function askedFor({ tls, host, port, path, headers, token, encoding, fromLowPort }: MetadataService): string {
  const usual = port === (tls ? 443 : 80);
  return [
    `\`${tls ? 'https' : 'http'}://${host}${usual ? '' : `:${port}`}${path}\``,
    ...Object.entries(headers).map(([name, value]) => `header \`${name}: ${value}\``),
    ...(token ? [`token from \`PUT ${token.path}\``] : []),
    ...(encoding === 'base64' ? ['base64'] : []),
    ...(fromLowPort ? ['port below 1024'] : []),
  ].join(', ');
}
