import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Toolbox } from '@plinth/toolbox';

/** What one program writes into a journal. */
export interface JournalWriter {
  readonly identifier: string;
  /** 0 to 7. */
  readonly priority: number;
  readonly lines: readonly string[];
}

const CONFIG = `[Journal]
Storage=volatile
RuntimeMaxUse=2G
RuntimeKeepFree=1M
RuntimeMaxFileSize=1G
RateLimitBurst=0
RateLimitIntervalSec=0
ForwardToSyslog=no
ForwardToWall=no
ReadKMsg=no
Audit=no
`;

/** Starts a journald of its own, lets each file "N.PRIORITY.IDENTIFIER" be written by a program of that name, and ends it. */
const WRITE = `mkdir -p /run/systemd/journal
/usr/lib/systemd/systemd-journald & journald=$!
while [ ! -S /run/systemd/journal/stdout ]; do sleep 0.05; done
for file in /input/*; do
  name=\${file##*/}; name=\${name#*.}
  systemd-cat --priority="\${name%%.*}" --identifier="\${name#*.}" cat "$file"
done
journalctl --sync
kill "$journald"; wait "$journald"; exit 0`;

/** makeJournal lets the toolbox's journald write journal files into a folder, one writer after the other. */
export async function makeJournal(
  toolbox: Toolbox,
  folder: string,
  writers: readonly JournalWriter[],
): Promise<string> {
  const [input, journal, config] = [
    join(folder, 'input'),
    join(folder, 'journal'),
    join(folder, 'journald.conf'),
  ];
  for (const each of [input, journal]) await mkdir(each);
  await writeFile(config, CONFIG);
  for (const [index, { identifier, priority, lines }] of writers.entries()) {
    const name = `${String(index).padStart(4, '0')}.${priority}.${identifier}`;
    await writeFile(join(input, name), lines.map((line) => `${line}\n`).join(''));
  }
  await toolbox.run('/bin/sh', ['-c', WRITE], {
    binds: [
      { host: journal, inside: '/run/log/journal' },
      { host: input, inside: '/input', readOnly: true },
      { host: config, inside: '/run/systemd/journald.conf.d/test.conf', readOnly: true },
    ],
    timeoutMs: 300_000,
  });
  return journal;
}
