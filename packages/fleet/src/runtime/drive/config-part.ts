import {
  ConfigEffectKind,
  ConfigMode,
  ConfigOutcome,
  type GetConfigStatusResponse,
  type ListConfigHistoryResponse,
  type NodeClient,
  type PlanDocumentsResponse,
} from '@plinth/api';
import { PlinthError } from '@plinth/base';
import type { ConfigReport, Reason, Target } from '../../objects/index.ts';

/** What plinthd says about its config, beside the documents of a release. */
export interface ConfigAnswers {
  readonly status: GetConfigStatusResponse;
  readonly planned: PlanDocumentsResponse;
  readonly history: ListConfigHistoryResponse;
}

const SHOWN = 20;
const NAME_LIMIT = 253;

/** askConfig has plinthd compare its config with documents. @throws as NodeClient; config/invalid, config/too-large */
export async function askConfig({ config }: NodeClient, documents: Uint8Array): Promise<ConfigAnswers> {
  const [status, planned, history] = await Promise.all([
    config.status(),
    config.planDocuments(documents),
    config.history(),
  ]);
  return { status, planned, history };
}

/** By its reason a revision is known as that of a release; plinthd keeps it with the revision. */
function reasonOf({ release }: Target): string {
  return `fleet ${release}`.slice(0, 200);
}

function backReasonOf({ release }: Target): string {
  return `fleet back from ${release}`.slice(0, 200);
}

/** configReport is what is kept of it; pure. */
export function configReport({ status, planned, history }: ConfigAnswers, target: Target): ConfigReport {
  const { changes = [], effects = [], touchesNetwork = false } = planned.plan ?? {};
  const own = history.revisions.filter(({ reason }) => reason === reasonOf(target));
  const isOurs = status.current?.reason === reasonOf(target);
  const isReverted = changes.length > 0 && own[0]?.outcome === ConfigOutcome.REVERTED;
  // What a network change breaks, only a boot that has to reach health takes back for certain.
  const needsReboot = touchesNetwork || effects.some(({ kind }) => kind === ConfigEffectKind.REBOOT);
  return {
    revision: status.current?.revision ?? 0,
    state: isReverted ? 'Reverted' : stateOf(changes.length, planned.staged, status),
    needs: changes.length === 0 ? 'Nothing' : needsReboot ? 'Reboot' : 'Restart',
    isOurs,
    isBackStaged: isOnItsWayBack(history, target),
    changes: changes.slice(0, SHOWN).map(({ path }) => path.slice(0, NAME_LIMIT)),
    drift: status.drift.slice(0, SHOWN).map(({ path }) => path.slice(0, NAME_LIMIT)),
  };
}

function stateOf(
  changes: number,
  isStaged: boolean,
  { trial, settled }: GetConfigStatusResponse,
): ConfigReport['state'] {
  if (isStaged) return 'Staged';
  if (changes > 0) return 'Due';
  return trial !== undefined || !settled ? 'OnTrial' : 'InEffect';
}

/** revertReason is why plinthd took the config of the release back; undefined: it did not. */
export function revertReason({ history }: ConfigAnswers, target: Target): Reason | undefined {
  const last = history.revisions.find(({ reason }) => reason === reasonOf(target));
  if (last?.outcome !== ConfigOutcome.REVERTED) return undefined;
  return { code: 'config/reverted', text: `plinthd took the config back: it ${last.note}`.slice(0, 1000) };
}

/**
 * applyConfig brings documents into effect: at once, or with the next boot. plinthd takes them back where the node does not reach
 * health. What is in effect, staged or on trial is not sent again. @throws as NodeClient; config/…
 */
export async function applyConfig(
  { config }: NodeClient,
  target: Target,
  documents: Uint8Array,
  report: ConfigReport,
  isWithBoot: boolean,
): Promise<void> {
  if (report.state === 'Reverted')
    throw new PlinthError(
      'config/reverted',
      `Cannot bring the config of ${target.release}: plinthd took it back`,
    );
  if (report.state === 'InEffect' || report.state === 'OnTrial') return;
  if (report.state === 'Staged' && isWithBoot) return;
  const mode = isWithBoot ? ConfigMode.STAGED : ConfigMode.AUTO;
  await config.applyDocuments({ documents, mode, reason: reasonOf(target) });
}

/**
 * takeConfigBack brings back the config that was in effect before the one of a release, if that is the one in effect: at once where that
 * can be, else with the next boot.
 * @throws as NodeClient; config/no-earlier, config/busy while it is on trial
 */
export async function takeConfigBack(
  { config }: NodeClient,
  target: Target,
  isWithBoot: boolean,
): Promise<void> {
  const { revisions } = await config.history();
  const current = revisions.find((each) => each.current);
  if (current?.reason !== reasonOf(target)) return;
  if (isOnItsWayBack({ revisions }, target)) return;
  const before = revisions.find(
    ({ revision, outcome, reason }) =>
      revision < current.revision && outcome === ConfigOutcome.GOOD && reason !== reasonOf(target),
  );
  if (!before)
    throw new PlinthError(
      'config/no-earlier',
      `Cannot take the config of ${target.release} back: the node remembers no other, expected one`,
    );
  const goBack = (mode: ConfigMode) =>
    config.rollback({ revision: before.revision, mode, reason: backReasonOf(target) });
  try {
    await goBack(isWithBoot ? ConfigMode.STAGED : ConfigMode.AUTO);
  } catch (reason) {
    // What came at once may need a reboot to go: a kernel setting that nothing had set before.
    if (!(reason instanceof PlinthError) || reason.code !== 'config/needs-reboot') throw reason;
    await goBack(ConfigMode.STAGED);
  }
}

function isOnItsWayBack(
  { revisions }: Pick<ListConfigHistoryResponse, 'revisions'>,
  target: Target,
): boolean {
  return revisions.some(
    ({ outcome, reason }) => outcome === ConfigOutcome.STAGED && reason === backReasonOf(target),
  );
}
