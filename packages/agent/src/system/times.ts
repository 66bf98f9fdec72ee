import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';

/** durationFromUs is a length of time of the contract, to a microsecond: fractions of nanoseconds cannot be sent. */
export function durationFromUs(us: number): ReturnType<typeof durationFromMs> {
  const whole = Math.round(us);
  const duration = durationFromMs(0);
  duration.seconds = BigInt(Math.trunc(whole / 1e6));
  duration.nanos = (whole % 1e6) * 1000 || 0; // no negative zero
  return duration;
}

/** stampFromMs is a moment of the contract, to a millisecond. */
export function stampFromMs(ms: number): ReturnType<typeof timestampFromMs> {
  return timestampFromMs(Math.round(ms));
}
