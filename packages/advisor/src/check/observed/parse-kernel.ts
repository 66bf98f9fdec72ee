import { OBSERVED_LIMITS } from './limits.ts';
import { makeRefusal, type Refusal } from './refusal.ts';

/** What one line of the kernel's log tells. */
export type KernelLine =
  | { readonly kind: 'refusal'; readonly refusal: Refusal }
  /** The kernel dropped lines of its own; null when it does not say how many. */
  | { readonly kind: 'lost'; readonly count: number | null }
  /** It is about a refusal, and is not as such lines are. */
  | { readonly kind: 'unreadable' };

const RECORD = /^(?:audit: )?type=(1400|1326|1420) audit\((\d{1,11})\.(\d{3}):\d+\):\s*/;
const SUPPRESSED = /^kauditd_printk_skb: (\d{1,9}) callbacks suppressed/;
const OVERFLOW = /^audit: (?:backlog limit exceeded|rate limit exceeded|audit_lost=\d+)/;
const LOCKDOWN = /^Lockdown: (.{1,64}?): (.{1,200}?) is restricted; see man kernel_lockdown/;

/**
 * parseKernelLine reads what the kernel refused from one message of its log; undefined for every other message.
 * Records: AVC of SELinux (1400), seccomp (1326), IPE (1420), and lockdown.
 * @param timeMs when the message was logged, for those without a time of their own
 */
export function parseKernelLine(message: string, timeMs: number): KernelLine | undefined {
  if (!/^(?:audit: |type=1|kauditd_|Lockdown: )/.test(message)) return undefined;
  const suppressed = SUPPRESSED.exec(message);
  if (suppressed) return { kind: 'lost', count: Number(suppressed[1]) };
  if (OVERFLOW.test(message)) return { kind: 'lost', count: null };
  const lockdown = LOCKDOWN.exec(message);
  if (lockdown) {
    const [, comm = '', action = ''] = lockdown;
    return {
      kind: 'refusal',
      refusal: makeRefusal({ kind: 'lockdown', timeMs, enforced: true, comm, action }),
    };
  }
  const record = RECORD.exec(message);
  if (!record) return undefined;
  if (message.length > OBSERVED_LIMITS.lineChars) return { kind: 'unreadable' };
  const [head, type, seconds, millis] = record;
  const refusal = parseRecord(type, message.slice(head.length), Number(seconds) * 1000 + Number(millis));
  if (refusal === 'none') return undefined;
  return refusal ? { kind: 'refusal', refusal } : { kind: 'unreadable' };
}

function parseRecord(type: string | undefined, text: string, timeMs: number): Refusal | 'none' | undefined {
  if (type === '1326') return parseSeccomp(fieldsOf(text), timeMs);
  if (type === '1420') return parseIpe(fieldsOf(text), timeMs);
  return parseAvc(text, timeMs);
}

function parseAvc(text: string, timeMs: number): Refusal | 'none' | undefined {
  if (/^avc:\s+granted\s/.test(text)) return 'none';
  const match = /^avc:\s+denied\s+\{([ a-z0-9_]{1,400})\} for\s/.exec(text);
  if (!match) return undefined;
  const fields = fieldsOf(text.slice(match[0].length - 1));
  const [sourceContext, objectClass] = [fields.get('scontext'), fields.get('tclass')];
  if (sourceContext === undefined || objectClass === undefined) return undefined;
  return makeRefusal({
    ...{ kind: 'selinux', timeMs, sourceContext, objectClass, ...processOf(fields) },
    // A kernel that does not say it enforces: the field came with permissive domains.
    enforced: fields.get('permissive') !== '1',
    action: (match[1] ?? '').trim(),
    path: absolute(decoded(fields.get('path'))),
    name: decoded(fields.get('name')) || decoded(fields.get('kmod')),
  });
}

/** What a filter does, by the upper half of its answer. @see linux/seccomp.h */
const LET_THROUGH: ReadonlySet<number> = new Set([0x7ffc, 0x7ff0, 0x7fc0, 0x7fff]);
const ARCHITECTURES: Readonly<Record<string, string>> = {
  c000003e: 'x86-64',
  c00000b7: 'arm64',
  '40000003': 'i386',
};

function parseSeccomp(fields: Fields, timeMs: number): Refusal | undefined {
  const [syscall, code] = [fields.get('syscall'), fields.get('code')];
  if (!/^\d{1,6}$/.test(syscall ?? '') || !/^0x[0-9a-f]{1,8}$/.test(code ?? '')) return undefined;
  const arch = fields.get('arch') ?? '';
  return makeRefusal({
    ...{ kind: 'seccomp', timeMs, ...processOf(fields) },
    enforced: !LET_THROUGH.has(Math.floor(Number(code) / 0x1_0000)),
    action: `syscall ${syscall} (${ARCHITECTURES[arch] ?? `arch ${arch}`})`,
    path: absolute(decoded(fields.get('exe'))),
    sourceContext: fields.get('subj') ?? '',
  });
}

function parseIpe(fields: Fields, timeMs: number): Refusal | undefined {
  const [operation, rule] = [fields.get('ipe_op'), fields.get('rule')];
  if (operation === undefined || rule === undefined) return undefined;
  if (!/action=DENY/.test(rule)) return undefined;
  return makeRefusal({
    ...{ kind: 'ipe', timeMs, ...processOf(fields), enforced: fields.get('enforcing') !== '0' },
    action: operation.toLowerCase(),
    path: absolute(decoded(fields.get('path'))),
  });
}

type Fields = ReadonlyMap<string, string>;

/**
 * fieldsOf splits "key=value" pairs; quoted values keep their quotes. The first of a name counts: what a program chose
 * itself stands in quotes or in hexadecimal digits, so it cannot forge one.
 */
function fieldsOf(text: string): Fields {
  const fields = new Map<string, string>();
  for (const [, key = '', value = ''] of text.matchAll(/(?:^|\s)([a-z_]{1,32})=("[^"]*"|\S*)/g))
    if (!fields.has(key)) fields.set(key, value);
  return fields;
}

function processOf(fields: Fields): Pick<Refusal, 'pid' | 'comm'> {
  const pid = fields.get('pid') ?? '';
  return { pid: /^\d{1,10}$/.test(pid) ? Number(pid) : 0, comm: decoded(fields.get('comm')) };
}

/** The kernel writes a text with blanks or control characters as hexadecimal digits, without quotes. */
function decoded(value: string | undefined): string {
  if (value === undefined || value === '?' || value === '(null)') return '';
  const text = value.startsWith('"')
    ? value.slice(1, -1)
    : /^(?:[0-9A-F]{2})+$/.test(value)
      ? Buffer.from(value, 'hex').toString('utf8')
      : value;
  return text.slice(0, OBSERVED_LIMITS.textChars);
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : '';
}
