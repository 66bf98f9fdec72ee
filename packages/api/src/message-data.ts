import { type DescMessage, type MessageShape, toJson } from '@bufbuild/protobuf';

/** The names of enum values in the contract begin with the enum's own name; in data for programs the rest is enough. */
const ENUM_PREFIX =
  /^(?:VERDICT|PARTITION_ROLE|BOOT_STATE|HEALTH_STATE|NODE_ROLE|MEMBERSHIP|ACT_KIND|ACT_STATE|CIS_VERDICT|EVENT_KIND|CONTAINER_STATE|FILE_KIND|MACHINE_ACT_KIND|MACHINE_ACT_STATE|BOOT_END_KIND|CONFIG_MODE|CONFIG_OUTCOME|CONFIG_EFFECT_KIND|CONFIG_FILE_ACTION|UPDATE_PHASE|HEALTH_CONTRACT_STATE|FACT_STATE)_(?=[A-Z])/;

/**
 * messageData turns an answer into plain JSON data: camel-case names, every field present, enum values as lower-case
 * words ("pass", "root_verity"), times as RFC 3339, durations as "1.5s", 64-bit numbers as text (ProtoJSON).
 */
export function messageData<D extends DescMessage>(schema: D, message: MessageShape<D>): unknown {
  return shorten(toJson(schema, message, { alwaysEmitImplicit: true }));
}

function shorten(value: unknown): unknown {
  if (typeof value === 'string')
    return ENUM_PREFIX.test(value) ? value.replace(ENUM_PREFIX, '').toLowerCase() : value;
  if (Array.isArray(value)) return value.map(shorten);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shorten(inner)]));
}
