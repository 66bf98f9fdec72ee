import { listAt, type Path } from '../model/json.ts';
import { type Container, commandWords, type Word } from '../model/pod-view.ts';

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
