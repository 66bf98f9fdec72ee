import type { KubeObject } from '../model/kube-object.ts';
import type { PodView } from '../model/pod-view.ts';
import { pathFactOf, programOn, type Target } from '../target/target.ts';
import { realPath } from './host-paths.ts';
import type { Knowledge, RawFinding, Severity } from './rule.ts';
import { type HostProgram, hostProgramsIn, type Script, scriptsIn, scriptsOf } from './scripts.ts';

/** checkPrograms finds programs of the host that containers start by entering the host. */
export function checkPrograms(pod: PodView, known: Knowledge): RawFinding[] {
  return scriptsOf(pod).flatMap((script) => judgeScript(script, known));
}

/** checkScripts finds the same in scripts that lie in ConfigMaps. */
export function checkScripts(object: KubeObject, known: Knowledge): RawFinding[] {
  return scriptsIn(object).flatMap((script) => judgeScript(script, known));
}

function judgeScript(script: Script, { target }: Knowledge): RawFinding[] {
  const programs = hostProgramsIn(script.text);
  const common = { ...(script.container !== undefined && { container: script.container }) };
  const seen = new Set<string>();
  const findings = programs.flatMap((each): RawFinding[] => {
    if (seen.has(each.program)) return [];
    seen.add(each.program);
    return [{ ...common, ...judgeProgram(each, target), ...script.placeOf(each.offset) }];
  });
  return programs.length === 0 ? [] : [...findings, ...installs(script, target)];
}

function judgeProgram(
  { program, path, how }: HostProgram,
  target: Target,
): Pick<RawFinding, 'rule' | 'severity' | 'message' | 'subject' | 'fact'> {
  const place = path === '' ? undefined : pathFactOf(target, realPath(path));
  if (place?.noexec)
    return {
      rule: 'PLM004',
      severity: 'block',
      message: `starts ${path} on the host (${how}); files there cannot be executed on ${target.name}: ${place.path} is noexec`,
      subject: path,
      fact: place.source,
    };
  const fact = programOn(target, program);
  const starts = `starts ${program} of the host (${how})`;
  const [severity, state]: readonly [Severity, string] =
    fact === undefined
      ? ['unknown', `nobody has read whether ${target.name} has it`]
      : fact.has
        ? ['warn', `${target.name} has it today and promises nothing`]
        : ['block', `which ${target.name} does not have`];
  return {
    rule: 'PLM020',
    severity,
    message: `${starts}${fact?.has === false ? ', ' : '; '}${state}`,
    subject: program,
    ...(fact && { fact: fact.source }),
  };
}

const INSTALL =
  /(?<![\w./-])(?:\/\S*\/)?(apt|apt-get|yum|dnf|tdnf|zypper|microdnf|rpm|dpkg|snap|rpm-ostree)\s+(?:-\S+\s+)*(?:install|update|upgrade|remove|purge|-i|-U|-Uvh)\b/g;

/** Packages that a script which enters the host installs: there, or in its own container. */
function installs(script: Script, target: Target): RawFinding[] {
  const manager = target.packageManager;
  if (manager?.value === true) return [];
  const [match] = script.text.matchAll(INSTALL);
  if (match === undefined) return [];
  const program = match[1] ?? '';
  return [
    {
      rule: 'PLM021',
      severity: manager === undefined ? 'unknown' : 'block',
      message: `installs packages with ${program} in a script that enters the host${manager === undefined ? `; whether ${target.name} can is unknown` : `; ${target.name} has no package manager and a read-only /usr`}`,
      subject: program,
      ...(script.container !== undefined && { container: script.container }),
      ...script.placeOf(match.index),
      ...(manager && { fact: manager.source }),
    },
  ];
}
