import type { LogRecord } from '../logs/entry-writer.ts';

/** Facilities of RFC 5424: what the kernel says, and what services say. */
const KERNEL = 0;
const DAEMON = 3;
/** What an entry without a priority is worth: information. */
const INFO = 6;
const APP_NAME_LIMIT = 48;
const HOST_NAME_LIMIT = 255;

/**
 * syslogFrame is an entry of the journal as a message of syslog (RFC 5424), with its length before it as TLS carries it
 * (RFC 5425). The message is the bytes of the journal as they are; nothing else of it can hold a space or a line break.
 */
export function syslogFrame(record: LogRecord, hostName: string): Buffer {
  const { identifier, pid, priority, message } = record;
  const facility = identifier === 'kernel' && pid === 0 ? KERNEL : DAEMON;
  const severity = priority < 0 ? INFO : priority;
  const head = [
    `<${facility * 8 + severity}>1`,
    timeOf(record),
    word(hostName, HOST_NAME_LIMIT),
    word(identifier, APP_NAME_LIMIT),
    pid > 0 ? String(pid) : '-',
    '-',
    '-',
    '',
  ].join(' ');
  const length = Buffer.byteLength(head) + message.length;
  return Buffer.concat([Buffer.from(`${length} ${head}`), message]);
}

/** Microseconds, which is what the journal and RFC 5424 have. */
function timeOf({ seconds, nanos }: LogRecord): string {
  const whole = new Date(seconds * 1000).toISOString().slice(0, -'.000Z'.length);
  return `${whole}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`;
}

/** Printable characters of ASCII without spaces; "-" where there is nothing to say. */
function word(text: string, limit: number): string {
  const kept = text.replaceAll(/[^\x21-\x7e]/g, '_').slice(0, limit);
  return kept === '' ? '-' : kept;
}
