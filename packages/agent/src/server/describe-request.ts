import { type DescField, type DescMessage, getOption, isMessage, type Message } from '@bufbuild/protobuf';
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import {
  DurationSchema,
  durationMs,
  type Timestamp,
  TimestampSchema,
  timestampDate,
} from '@bufbuild/protobuf/wkt';
import { audited } from '@plinth/api';

/** Bounds on a description: it is kept for every call. */
const LIMIT = 240;
const TEXT_LIMIT = 64;
const LIST_LIMIT = 4;
const DEPTH_LIMIT = 2;

/**
 * describeRequest says what was asked without telling secrets: numbers, booleans, enums and times as they are, a text where
 * the contract marks its field `audited`; of every other text and of bytes only the size. A field marked `debug_redact` is
 * only said to be there. "follow=true lines=100 unit=kubelet.service token=hidden".
 */
export function describeRequest(schema: DescMessage, message: Message): string {
  return cut(describe(reflect(schema, message), 0), LIMIT);
}

function describe(message: ReflectMessage, depth: number): string {
  return message.fields
    .filter((field) => message.isSet(field))
    .map((field) => `${field.name}=${describeField(message, field, depth)}`)
    .join(' ');
}

function describeField(message: ReflectMessage, field: DescField, depth: number): string {
  if (field.proto.options?.debugRedact) return 'hidden';
  switch (field.fieldKind) {
    case 'map':
      return `${message.get(field).size} entries`;
    case 'enum': {
      const number = message.get(field);
      return field.enum.values.find((value) => value.number === number)?.name ?? String(number);
    }
    case 'message':
      return describeMessage(message.get(field), depth);
    case 'scalar':
      return describeScalar(field, message.get(field));
    case 'list': {
      const list = message.get(field);
      if (field.listKind !== 'scalar' || list.size > LIST_LIMIT) return `${list.size} items`;
      return `[${[...list].map((item) => describeScalar(field, item)).join(' ')}]`;
    }
  }
}

function describeMessage(reflected: ReflectMessage, depth: number): string {
  const { message } = reflected;
  if (isMessage(message, DurationSchema)) return `${durationMs(message)}ms`;
  if (isMessage(message, TimestampSchema)) return describeTime(message);
  return depth >= DEPTH_LIMIT ? '{…}' : `{${describe(reflected, depth + 1)}}`;
}

/** A time may be any number: what is no date is said as it came. */
function describeTime(time: Timestamp): string {
  const date = timestampDate(time);
  return Number.isNaN(date.getTime()) ? `${time.seconds}s` : date.toISOString();
}

function describeScalar(field: DescField, value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} B`;
  if (typeof value !== 'string') return String(value);
  return getOption(field, audited) ? quoted(cut(value, TEXT_LIMIT)) : `${Buffer.byteLength(value)} B`;
}

/** A text in which something could pass for another argument stands in quotes. */
function quoted(text: string): string {
  return /^[\w./:@%+,*~…-]+$/.test(text) ? text : JSON.stringify(text);
}

function cut(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}
