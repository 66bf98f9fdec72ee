import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXAMPLE_CERTIFICATE, indented } from '../framework/example-certificate.ts';
import { readNoCloud, readOpenStackDrive } from './config-drive.ts';

const access = `apiVersion: plinth.dev/v1alpha1\nkind: ApiAccess\nclientAuthorities:\n  - |\n${indented(EXAMPLE_CERTIFICATE, 4)}\n`;
const named = `${access}---\napiVersion: plinth.dev/v1alpha1\nkind: Machine\nname: node-1\n`;
const bytes = (text: string) => Buffer.from(text);

function noCloud(files: Readonly<Record<string, string>>) {
  return readNoCloud(
    Object.fromEntries(Object.entries(files).map(([name, text]) => [name, bytes(text)])),
    'drive',
  );
}

function problemsOf(read: ReturnType<typeof readNoCloud>): string {
  assert.ok(!read.ok, 'expected problems');
  return read.diagnostics.map(({ message, hint }) => `${message}; ${hint ?? ''}`).join('\n');
}

function configOf(read: ReturnType<typeof readNoCloud>) {
  assert.ok(read.ok, JSON.stringify(read));
  return read.value.config;
}

test('user-data alone is enough where it says all, byte for byte', () => {
  const read = noCloud({ 'user-data': named, 'meta-data': '', 'vendor-data': '#cloud-config\n{}\n' });
  assert.ok(read.ok);
  assert.equal(Buffer.from(read.value.documents).toString(), named);
});

test('meta-data gives a name to a node that has none, and does not rename one', () => {
  const meta = 'instance-id: i-7\nlocal-hostname: node-7\n';
  assert.equal(configOf(noCloud({ 'user-data': access, 'meta-data': meta })).machine.name, 'node-7');
  assert.match(
    problemsOf(noCloud({ 'user-data': named, 'meta-data': meta })),
    /local-hostname is another name than the one in user-data/,
  );
  const same = meta.replace('node-7', 'node-1');
  assert.equal(configOf(noCloud({ 'user-data': named, 'meta-data': same })).machine.name, 'node-1');
});

test('what a node cannot honour is an error with its reason', () => {
  for (const [files, expected] of [
    [{}, /no file user-data, expected one/],
    [{ 'vendor-data': '#cloud-config\npackages: [vim]\n' }, /vendor-data is not empty/],
    [{ 'meta-data': 'public-keys: [ssh-rsa]\n' }, /"public-keys" cannot be honoured.*no SSH/],
    [{ 'meta-data': 'network-interfaces: iface eth0\n' }, /"network-interfaces" cannot be honoured/],
    [{ 'meta-data': 'instance_idd: x\n' }, /unknown key "instance_idd"/],
    [{ 'network-config': 'version: 1\nconfig: []\n' }, /expected version 2/],
  ] as const) {
    const own = 'user-data' in files || Object.keys(files).length === 0 ? {} : { 'user-data': named };
    assert.match(problemsOf(noCloud({ ...own, ...files })), expected);
  }
});

test('network-config of version 2 becomes a document of kind Network', () => {
  const network = `network:
  version: 2
  renderer: networkd
  ethernets:
    wan:
      match: { macaddress: "52:54:00:AA:00:01" }
      addresses: [192.0.2.7/24]
      nameservers: { addresses: [192.0.2.1], search: [example.org] }
      routes: [{ to: default, via: 192.0.2.1 }, { to: 10.6.0.0/16, via: 192.0.2.2, metric: 50 }]
      mtu: 1400
    any: { dhcp4: true }
    a: { match: { macaddress: "52:54:00:aa:00:02" } }
    b: { match: { macaddress: "52:54:00:aa:00:03" } }
  bonds:
    bond0: { interfaces: [a, b], parameters: { mode: 802.3ad }, dhcp4: true }
  vlans:
    vlan20: { id: 20, link: bond0, addresses: [192.0.3.7/24] }
`;
  const read = configOf(noCloud({ 'user-data': named, 'network-config': network })).network;
  assert.deepEqual(
    read?.interfaces.map(({ mac, gateway, mtu, routes, dns }) => ({ mac, gateway, mtu, routes, dns })),
    [
      {
        ...{ mac: '52:54:00:aa:00:01', gateway: '192.0.2.1', mtu: 1400, dns: ['192.0.2.1'] },
        routes: [{ destination: '10.6.0.0/16', gateway: '192.0.2.2', metric: 50 }],
      },
    ],
  );
  assert.deepEqual(
    [read?.bonds[0]?.mode, read?.bonds[0]?.dhcp, read?.bonds[0]?.members.length],
    ['802.3ad', true, 2],
  );
  assert.deepEqual([read?.vlans[0]?.parent, read?.vlans[0]?.id], ['bond0', 20]);
  assert.deepEqual(read?.dns?.searchDomains, ['example.org']);
});

test('what network-config asks for and no node can do is an error, not left out', () => {
  const card = 'match: { macaddress: "52:54:00:aa:00:01" }';
  for (const [ethernets, expected] of [
    [`e: { addresses: [192.0.2.7/24] }`, /no match\.macaddress/],
    [`e: { ${card}, dhcp4: true, dhcp6: false }`, /one setting of a node/],
    [`e: { ${card}, set-name: lan0 }`, /expected no "set-name"/],
    [`e: { ${card}, wakeonlan: true }`, /wakeonlan/],
    [
      `e: { ${card}, addresses: [192.0.2.7/24, "2001:db8::7/64"], gateway4: 192.0.2.1, gateway6: "2001:db8::1" }`,
      /two routers for everything/,
    ],
    [`e: { ${card}, match: { name: "en*" }, dhcp4: true }`, /match/],
  ] as const) {
    const network = `version: 2\nethernets:\n  ${ethernets}\n`;
    assert.match(problemsOf(noCloud({ 'user-data': named, 'network-config': network })), expected, ethernets);
  }
  const both = `version: 2\nethernets:\n  e: { ${card}, dhcp4: true }\n`;
  const own = `${named}---\napiVersion: plinth.dev/v1alpha1\nkind: Network\ndns: { servers: [192.0.2.1] }\n`;
  assert.match(problemsOf(noCloud({ 'user-data': own, 'network-config': both })), /a second Network/);
});

test('a drive of OpenStack gives its name only to a node without one; fixed addresses need words of the user', () => {
  const drive = (userData: string, more: Readonly<Record<string, unknown>> = {}) =>
    readOpenStackDrive(
      {
        user_data: bytes(userData),
        'meta_data.json': bytes(
          JSON.stringify({ uuid: 'x', hostname: 'Vm-7.novalocal', public_keys: { a: 'b' } }),
        ),
        ...Object.fromEntries(
          Object.entries(more).map(([name, value]) => [name, bytes(JSON.stringify(value))]),
        ),
      },
      'drive',
    );
  assert.equal(configOf(drive(access)).machine.name, 'vm-7');
  assert.equal(configOf(drive(named)).machine.name, 'node-1');
  const fixed = { networks: [{ type: 'ipv4', ip_address: '192.0.2.7' }] };
  assert.match(problemsOf(drive(named, { 'network_data.json': fixed })), /a network with fixed addresses/);
  const own = `${named}---\napiVersion: plinth.dev/v1alpha1\nkind: Network\ndns: { servers: [192.0.2.1] }\n`;
  assert.ok(drive(own, { 'network_data.json': fixed }).ok);
  assert.ok(
    drive(named, { 'network_data.json': { networks: [{ type: 'ipv4_dhcp' }] }, 'vendor_data.json': {} }).ok,
  );
  const vendor = { 'vendor_data.json': { 'cloud-init': '#cloud-config\n' } };
  assert.match(problemsOf(drive(named, vendor)), /"cloud-init" asks for something/);
  assert.match(problemsOf(readOpenStackDrive({}, 'drive')), /no file openstack\/latest\/user_data/);
});
