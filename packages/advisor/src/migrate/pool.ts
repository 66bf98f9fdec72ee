import { PlinthError } from '@plinth/base';
import { parse } from 'yaml';
import { fieldsOf } from './fields.ts';
import { readAks } from './read-aks.ts';
import { readEks } from './read-eks.ts';
import { readGke } from './read-gke.ts';
import { readNodes } from './read-nodes.ts';

/** A node pool as a cloud describes it; what is undefined is not told. */
export interface Pool {
  readonly platform: string;
  /** Id of the system it runs; undefined when the image's name says nothing that is known here. */
  readonly system: string | undefined;
  readonly name: string;
  readonly nodes: number | undefined;
  /** Properties as in data/pool.yaml. */
  readonly properties: Readonly<Record<string, string>>;
  /** Values for the placeholders of commands. */
  readonly names: Readonly<Record<string, string>>;
  /** The surge that is set, as the cloud writes it: "33%", "1". */
  readonly surge: string | undefined;
}

/** Bound on a description, before anything of it is parsed; a cluster of 1,000 pools is smaller. */
const LIMIT_CHARS = 8 * 1024 * 1024;
/** YAML takes a hundred times as long to read. */
const YAML_LIMIT_CHARS = 1024 * 1024;

/**
 * readPools reads the output, JSON or YAML, of az aks show, az aks nodepool show|list, aws eks describe-nodegroup,
 * gcloud container clusters|node-pools describe, and kubectl get nodes,poddisruptionbudgets -A.
 * @throws advisor/pool-invalid
 */
export function readPools(text: string, file: string): readonly Pool[] {
  const refuse = (state: string): never => {
    throw new PlinthError('advisor/pool-invalid', `Cannot read the pool in ${file}: ${state}`);
  };
  if (text.length > LIMIT_CHARS) return refuse(`${text.length} characters, expected at most ${LIMIT_CHARS}`);
  const data =
    parsed(text) ?? refuse('it is neither JSON nor YAML, expected what az, aws, gcloud or kubectl print');
  const pools = [readNodes(data), readEks(data), readGke(data), readAks(data)].find(
    (found) => found.length > 0,
  );
  const { cluster, nodegroups } = fieldsOf(data);
  if (pools === undefined && (cluster !== undefined || Array.isArray(nodegroups)))
    return refuse(
      'it names a cluster or its node groups only, expected one group: aws eks describe-nodegroup',
    );
  return (
    pools ??
    refuse(
      'no pool is found in it, expected nodes (kubectl), a nodegroup (aws), nodePools (gcloud) or agentPoolProfiles (az)',
    )
  );
}

/** gcloud prints YAML unless it is asked for JSON. What begins as JSON and is broken is not read as something else. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (/^\s*[[{]/.test(text) || text.length > YAML_LIMIT_CHARS) return undefined;
  }
  try {
    // The core schema: a version that looks like a number was quoted by whoever printed it.
    return parse(text, { schema: 'core', logLevel: 'error' });
  } catch {
    return undefined;
  }
}

/**
 * choosePool is the pool of that name, or the only one.
 * @throws advisor/pool-invalid
 */
export function choosePool(pools: readonly Pool[], name: string | undefined): Pool {
  const names = pools.map((pool) => pool.name).join(', ');
  const found = name === undefined ? pools : pools.filter((pool) => pool.name === name);
  const [pool] = found;
  if (pool && found.length === 1) return pool;
  throw new PlinthError(
    'advisor/pool-invalid',
    name === undefined
      ? `Cannot choose a pool: there are ${pools.length} (${names}), expected one`
      : `Cannot find pool "${name}": the description has ${names}, expected one of these`,
  );
}
