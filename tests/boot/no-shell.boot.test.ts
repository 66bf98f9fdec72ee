import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { Verdict } from '@plinth/api';
import { followConsoleLines, readConsole } from '@plinth/local';
import { attack } from '../testkit/attack-report.ts';
import { bootImage, endpointOf } from '../testkit/boot-image.ts';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';
import { extractKernel } from '../testkit/direct-kernel.ts';
import { copyDisk } from '../testkit/disk-copy.ts';
import {
  firmwareInjections,
  HOSTILE_ARGUMENTS,
  injectIntoEsp,
  MARKER,
  makeConfigDrive,
  smbiosInjections,
} from '../testkit/injections.ts';
import { failing, settledHealth } from '../testkit/node-answers.ts';

const PROMPT = /login:|password:|emergency mode|rescue mode|press enter for|[#$>] ?$/im;

suite('whoever defines the machine and writes its ESP gets no shell and no unit into it', () => {
  let lab: BootLab;

  before(async () => {
    lab = await openBootLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  test('the node comes up healthy with every way in tried at once', async () => {
    const disk = await copyDisk(lab.release.diskPath, join(lab.scratch, 'hostile.raw'));
    await injectIntoEsp(lab.toolbox, disk, lab.scratch);
    const drive = await makeConfigDrive(lab.toolbox, lab.scratch);
    await using booted = await bootImage(lab, 'hostile', {
      title: 'units and arguments by SMBIOS, firmware files, ESP and a config drive',
      expected: 'healthy, nothing injected runs',
      spec: {
        disk: { kind: 'raw', path: disk.path },
        smbiosStrings: smbiosInjections(),
        firmwareConfig: firmwareInjections(),
        extraDrives: [drive],
      },
    });
    using client = lab.owner.connect(endpointOf(booted));
    const health = await settledHealth(client);
    const console = (await readConsole(booted.machine)).join('\n');
    const { checks, mounts } = await client.getIntegrity();
    for (const way of ['SMBIOS strings', 'firmware files (fw_cfg)', 'the ESP', 'a config drive'])
      await attack(
        lab,
        `Bring units and arguments in by ${way}`,
        { outcome: 'refused', by: 'the boot chain' },
        () => {
          assert.doesNotMatch(console, new RegExp(MARKER));
          assert.doesNotMatch(console, PROMPT);
          assert.deepEqual(failing([...checks, ...health.checks]), []);
          assert.equal(mounts.find(({ target }) => target === '/tmp')?.verdict, Verdict.PASS);
          return 'nothing of it ran; every check passes';
        },
      );
  });

  test('the injected unit would be seen: it runs where the command line lets credentials in', async () => {
    const kernel = await extractKernel(lab.release.ukiPath, join(lab.scratch, 'direct'));
    const commandLine = `${kernel.commandLine} ${HOSTILE_ARGUMENTS[0]}`;
    await using booted = await bootImage(lab, 'control', {
      title: 'the same units with a command line that allows them (control)',
      expected: 'the marker shows',
      spec: {
        firmware: 'bios',
        tpm: false,
        directKernel: { ...kernel, commandLine },
        smbiosStrings: smbiosInjections(),
      },
    });
    for await (const line of followConsoleLines(booted.machine, AbortSignal.timeout(60_000))) {
      if (line.includes(MARKER)) return;
    }
    assert.fail(`no marker on the console: ${booted.lines.slice(-10).join('\n')}`);
  });
});
