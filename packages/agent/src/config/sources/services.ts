/** A file of /sys/class/dmi/id, in which the firmware says what the machine is. */
export type DmiField = 'bios_vendor' | 'chassis_asset_tag' | 'product_name' | 'sys_vendor';

export type MetadataServiceName =
  | 'aws'
  | 'azure'
  | 'gcp'
  | 'oracle'
  | 'hetzner'
  | 'digitalocean'
  | 'scaleway'
  | 'vultr'
  | 'equinix-metal'
  | 'openstack';

/** The metadata service of a cloud, as data: how a machine of it is told, and how its user data is asked for. */
export interface MetadataService {
  /** What the config's source is called in the API. */
  readonly name: MetadataServiceName;
  /** For people. */
  readonly title: string;
  /** Any of these makes the machine one of this cloud. */
  readonly dmi: readonly { readonly field: DmiField; readonly is: readonly string[] }[];
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  /** Path and query of the user data. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly encoding: 'plain' | 'base64';
  /** A token to be fetched before, and the header it is sent in. */
  readonly token?: {
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly sentIn: string;
  };
  /** A header by which the service tells that it is itself. */
  readonly answersWith?: readonly [name: string, value: string];
  /** Whether it answers only to ports that root alone may use. */
  readonly fromLowPort?: true;
  /** What the reference says beside this. */
  readonly note?: string;
}

/** Where nearly every cloud has its service: link-local, answered by the host the machine runs on. */
const LINK_LOCAL = { tls: false, host: '169.254.169.254', port: 80, headers: {}, encoding: 'plain' } as const;

/** Every metadata service that is known, in the order in which the firmware's words are held against them. */
export const metadataServices: readonly MetadataService[] = [
  {
    ...LINK_LOCAL,
    name: 'aws',
    title: 'Amazon EC2',
    dmi: [
      { field: 'sys_vendor', is: ['Amazon EC2'] },
      { field: 'bios_vendor', is: ['Amazon EC2'] },
    ],
    path: '/latest/user-data',
    token: {
      path: '/latest/api/token',
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
      sentIn: 'x-aws-ec2-metadata-token',
    },
    note: 'IMDSv2 only: a request without a token is never made.',
  },
  {
    ...LINK_LOCAL,
    name: 'azure',
    title: 'Microsoft Azure',
    dmi: [{ field: 'chassis_asset_tag', is: ['7783-7084-3265-9085-8269-3286-77'] }],
    path: '/metadata/instance/compute/userData?api-version=2021-01-01&format=text',
    headers: { metadata: 'true' },
    encoding: 'base64',
    note: 'User data, not custom data: that lies on a DVD (ovf-env.xml), which a node does not read.',
  },
  {
    ...LINK_LOCAL,
    name: 'gcp',
    title: 'Google Cloud',
    dmi: [{ field: 'product_name', is: ['Google Compute Engine'] }],
    path: '/computeMetadata/v1/instance/attributes/user-data',
    headers: { 'metadata-flavor': 'Google' },
    answersWith: ['metadata-flavor', 'Google'],
    note: 'The metadata attribute `user-data` of the instance.',
  },
  {
    ...LINK_LOCAL,
    name: 'oracle',
    title: 'Oracle Cloud',
    dmi: [{ field: 'chassis_asset_tag', is: ['OracleCloud.com'] }],
    path: '/opc/v2/instance/metadata/user_data',
    headers: { authorization: 'Bearer Oracle' },
    encoding: 'base64',
    note: 'The second version of the service; the header is a fixed word and no secret.',
  },
  {
    ...LINK_LOCAL,
    name: 'hetzner',
    title: 'Hetzner Cloud',
    dmi: [{ field: 'sys_vendor', is: ['Hetzner'] }],
    path: '/hetzner/v1/userdata',
  },
  {
    ...LINK_LOCAL,
    name: 'digitalocean',
    title: 'DigitalOcean',
    dmi: [{ field: 'sys_vendor', is: ['DigitalOcean'] }],
    path: '/metadata/v1/user-data',
  },
  {
    ...LINK_LOCAL,
    name: 'scaleway',
    title: 'Scaleway',
    dmi: [{ field: 'sys_vendor', is: ['Scaleway'] }],
    host: '169.254.42.42',
    path: '/user_data/cloud-init',
    fromLowPort: true,
    note: 'Answers only to a source port below 1024.',
  },
  {
    ...LINK_LOCAL,
    name: 'vultr',
    title: 'Vultr',
    dmi: [{ field: 'sys_vendor', is: ['Vultr'] }],
    path: '/latest/user-data',
    headers: { 'metadata-token': 'vultr' },
    note: 'Virtual machines; bare metal does not name Vultr in its firmware.',
  },
  {
    name: 'equinix-metal',
    title: 'Equinix Metal',
    dmi: [{ field: 'sys_vendor', is: ['Packet', 'Equinix Metal'] }],
    tls: true,
    host: 'metadata.platformequinix.com',
    port: 443,
    path: '/userdata',
    headers: {},
    encoding: 'plain',
    note: 'Needs a name server. Machines whose firmware names the maker of the hardware instead are not recognised.',
  },
  {
    ...LINK_LOCAL,
    name: 'openstack',
    title: 'OpenStack',
    dmi: [
      { field: 'product_name', is: ['OpenStack Nova', 'OpenStack Compute'] },
      {
        field: 'chassis_asset_tag',
        is: ['OpenStack Nova', 'OpenStack Compute', 'OpenTelekomCloud', 'SAP CCloud VM', 'HUAWEICLOUD'],
      },
    ],
    path: '/openstack/latest/user_data',
    note: 'A config drive (`config-2`) comes first.',
  },
];
