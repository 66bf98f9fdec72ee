import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { allKinds, parseConfig, renderConfig, VOLUME_DEFINITIONS } from '@plinth/config';
import { openToolbox } from '@plinth/toolbox';
import { agentPrograms } from '../programs.ts';
import { type Command, checkCommand, mountCommands, repartCommand, unmountCommand } from './volume-units.ts';

// The commands of volumes in the hands of the node's programs: on files in the place of disks, without the units.

const toolbox = await openToolbox();
const dir = await mkdtemp(join(tmpdir(), 'plinth-volume-units-'));
after(() => rm(dir, { recursive: true }));

const DISK = '/mnt/work/disk';
const PART = '/mnt/work/part';
const PART_MIB = 127;

/** What runs in the unit. */
function programOf([, args]: Command): readonly string[] {
  return args.slice(args.indexOf('--') + 1);
}

function propertiesOf([, args]: Command): readonly string[] {
  return args
    .filter((each) => each.startsWith('--property='))
    .map((each) => each.slice('--property='.length));
}

async function inToolbox(script: string, ...commands: (readonly string[])[]): Promise<string> {
  const quoted = commands.map((each) => each.map((word) => `'${word}'`).join(' '));
  const text = quoted.reduce((all, command, index) => all.replaceAll(`@${index}`, command), script);
  const { stdout, stderr } = await toolbox.run('sh', ['-c', text], {
    binds: [
      { host: join(dir, 'volumes'), inside: VOLUME_DEFINITIONS, readOnly: true },
      { host: dir, inside: '/mnt/work' },
    ],
  });
  return `${stdout}${stderr}`;
}

test('made on an empty disk, grown with it, checked; a table that is there stops systemd-repart', {
  timeout: 120_000,
}, async () => {
  const others = allKinds.filter(({ kind }) => kind === 'Machine' || kind === 'ApiAccess');
  const volume = { apiVersion: 'plinth.dev/v1alpha1', kind: 'Volume', name: 'data', disk: { serial: 'A' } };
  const config = [...others.map(({ example }) => example), JSON.stringify(volume)].join('\n---\n');
  const parsed = parseConfig(Buffer.from(config), 'config.yaml');
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const [definition] = renderConfig(parsed.value).filter(({ path }) => path.startsWith(VOLUME_DEFINITIONS));
  assert.ok(definition);
  const place = join(dir, 'volumes', definition.path.slice(VOLUME_DEFINITIONS.length));
  await mkdir(join(place, '..'), { recursive: true });
  await writeFile(place, definition.text);

  const said = await inToolbox(
    `run() { name=$1; shift; code=0; "$@" </dev/null >/tmp/said 2>&1 || code=$?; echo "$name $code"; }
truncate -s 128M ${DISK}
run make @0
run again @0
truncate -s 256M ${DISK}
run grow @1
blkid --probe --output export ${DISK}
dd if=${DISK} of=${PART} bs=1M skip=1 count=${PART_MIB} 2>/dev/null
run check @2
dd if=/dev/urandom of=${PART} bs=1M count=8 seek=0 conv=notrunc 2>/dev/null
run damaged @2`,
    programOf(repartCommand('data', DISK, 'require')),
    programOf(repartCommand('data', DISK, 'refuse')),
    programOf(checkCommand('data', PART)),
  );
  assert.match(said, /^make 0$/m);
  assert.match(said, /^again 77$/m);
  assert.match(said, /^grow 0$/m);
  assert.match(said, /^PTTYPE=gpt$/m);
  assert.match(said, /^check 0$/m);
  assert.match(said, /^damaged (?:4|8|12)$/m);
});

test('systemd knows every property of the units, and says so of a wrong one', {
  timeout: 60_000,
}, async () => {
  const verify = async (properties: readonly string[]) => {
    const text = ['[Service]', 'Type=oneshot', 'ExecStart=/bin/true', ...properties, ''].join('\n');
    await writeFile(join(dir, 'volume-step.service'), text);
    await mkdir(join(dir, 'volumes'), { recursive: true });
    return inToolbox(
      'systemd-analyze verify --man=no --generators=no /mnt/work/volume-step.service 2>&1; true',
    );
  };
  const all = [
    ...propertiesOf(repartCommand('data', '/dev/vdb', 'require')),
    ...propertiesOf(checkCommand('data', '/dev/vdb1')),
  ];
  assert.ok(all.length > 20);
  assert.doesNotMatch(await verify(all), /volume-step/);
  assert.match(await verify([...all, 'DevicePolicies=closed']), /Unknown key.*DevicePolicies/);
});

test('each command is a program that the image has to have, and reaches one disk', () => {
  const commands = [
    repartCommand('a-b', '/dev/vdb', 'require'),
    checkCommand('a-b', '/dev/vdb1'),
    ...mountCommands('a-b'),
    unmountCommand('a-b'),
  ];
  for (const command of commands) {
    assert.ok(agentPrograms.includes(command[0]), command[0]);
    const [inside] = command[1].includes('--') ? programOf(command) : [];
    if (inside !== undefined) assert.ok(agentPrograms.includes(inside), inside);
  }
  const disks = commands
    .flatMap((each) => propertiesOf(each))
    .filter((each) => each.startsWith('DeviceAllow=/dev/vd'));
  assert.deepEqual(disks, ['DeviceAllow=/dev/vdb rw', 'DeviceAllow=/dev/vdb1 rw']);
  assert.deepEqual(
    mountCommands('a-b').map(([, args]) => args.at(-1)),
    ['daemon-reload', 'var-mnt-a\\x2db.mount', 'systemd-growfs@var-mnt-a\\x2db.service'],
  );
});
