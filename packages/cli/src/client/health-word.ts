import { HealthState } from '@plinth/api';

/** healthWord is the state of a node in one word; a state that a newer node made up is "unknown". */
export function healthWord(state: HealthState): 'healthy' | 'degraded' | 'unhealthy' | 'unknown' {
  switch (state) {
    case HealthState.HEALTHY:
      return 'healthy';
    case HealthState.DEGRADED:
      return 'degraded';
    case HealthState.UNHEALTHY:
      return 'unhealthy';
    default:
      return 'unknown';
  }
}
