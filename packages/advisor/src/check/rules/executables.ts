import { isMap, listAt, type mapAt, type Path, textAt } from '../model/json.ts';
import {
  type Container,
  commandWords,
  mountsIn,
  type PodView,
  volumesOf,
  type Word,
} from '../model/pod-view.ts';
import { isWithin, pathFactOf, type Target } from '../target/target.ts';
import { realPath } from './host-paths.ts';
import type { Knowledge, RawFinding } from './rule.ts';

/** startsOf are the command lines a container is started or asked with: its own, hooks, probes. */
export function startsOf(container: Container): (readonly Word[])[] {
  const { value, path } = container;
  const execs: Path[] = [
    ['lifecycle', 'postStart'],
    ['lifecycle', 'preStop'],
    ['livenessProbe'],
    ['readinessProbe'],
    ['startupProbe'],
  ];
  const words = (at: Path): Word[] =>
    listAt(value, ...at, 'exec', 'command').flatMap((word, index): Word[] =>
      typeof word === 'string' ? [{ text: word, path: [...path, ...at, 'exec', 'command', index] }] : [],
    );
  return [commandWords(container), ...execs.map(words)].filter(({ length }) => length > 0);
}

/** Shells that start a script themselves: it need not be executable. */
const READS = /(?:^|\/)(?:(?:ba|da|a|k|z)?sh|python3?|perl|node|ruby|cat|cp|source)$/;

/**
 * checkExecutables finds programs that are started from a volume whose files cannot be executed on the target: they lie
 * on a disk of the node that is mounted noexec.
 */
export function checkExecutables(pod: PodView, { target }: Knowledge): RawFinding[] {
  const volumes = new Map(volumesOf(pod).map(({ name, value }) => [name, value]));
  return pod.containers.flatMap((container) => {
    const closed = mountsIn(container).flatMap((mount) => {
      const fact = noexecOf(volumes.get(mount.volume), target);
      return fact === undefined ? [] : [{ ...mount, ...fact }];
    });
    if (closed.length === 0) return [];
    return startsOf(container).flatMap((words): RawFinding[] =>
      started(words).flatMap(({ word, program, line }) => {
        const mount = closed.find(
          ({ mountPath }) => mountPath !== '' && isWithin(program, mountPath.replace(/\/$/, '')),
        );
        if (mount === undefined) return [];
        return [
          {
            rule: 'PLM004',
            message: `starts ${program} from a volume of kind ${mount.kind}; files there cannot be executed on ${target.name}: ${mount.place} is noexec`,
            subject: program,
            path: word.path,
            ...(line > 0 && { linesBelow: line }),
            container: container.name,
            fact: mount.source,
          },
        ];
      }),
    );
  });
}

/** Programs by a full path: the first word, and the first words of commands of a script. */
function started(words: readonly Word[]): { word: Word; program: string; line: number }[] {
  const [first, ...more] = words;
  if (first === undefined) return [];
  if (first.text.startsWith('/') && !READS.test(first.text))
    return [{ word: first, program: first.text, line: 0 }];
  const flag = more.findIndex(({ text }) => /^-\w*c$/.test(text));
  const script = flag < 0 ? undefined : more[flag + 1];
  if (!READS.test(first.text) || script === undefined) return [];
  return script.text.split('\n').flatMap((text, line) =>
    [...text.matchAll(/(?:^|[;&|(]|\bexec|\bthen|\bdo)\s*(\/[\w./-]+)/g)].map(([, program = '']) => ({
      word: script,
      program,
      line,
    })),
  );
}

/** The fact that files of a volume cannot be executed; undefined when they can, or when nobody knows. */
function noexecOf(
  volume: ReturnType<typeof mapAt> | undefined,
  target: Target,
): { kind: string; place: string; source: string } | undefined {
  if (volume === undefined) return undefined;
  const host = textAt(volume, 'hostPath', 'path');
  const root = target.kubelet.rootDir?.value;
  const onDisk = isMap(volume['emptyDir'])
    ? 'emptyDir'
    : isMap(volume['configMap'])
      ? 'configMap'
      : undefined;
  // In memory each has a mount of its own, without that flag.
  if (onDisk === 'emptyDir' && textAt(volume, 'emptyDir', 'medium') === 'Memory') return undefined;
  const place = host !== undefined ? realPath(host) : onDisk && root;
  const fact = place === undefined ? undefined : pathFactOf(target, place);
  if (place === undefined || !fact?.noexec) return undefined;
  return { kind: onDisk ?? 'hostPath', place: fact.path, source: fact.source };
}
