import { channelJsonSchema, manifestJsonSchema } from '@plinth/updates';

/** channelSchema is the JSON Schema of channels as a file. */
export function channelSchema(): string {
  return `${JSON.stringify(channelJsonSchema(), null, 2)}\n`;
}

/** manifestSchema is the JSON Schema of release manifests as a file. */
export function manifestSchema(): string {
  return `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`;
}
