import { create, type MessageShape } from '@bufbuild/protobuf';
import { type Duration, durationMs } from '@bufbuild/protobuf/wkt';
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type HandlerContext,
  type ServiceImpl,
} from '@connectrpc/connect';
import {
  ApplyConfigResponseSchema,
  ApplyDocumentsResponseSchema,
  CONFIG_LIMIT_BYTES,
  ConfigMode,
  ConfigService,
  ConfirmConfigResponseSchema,
  GetConfigResponseSchema,
  GetConfigStatusResponseSchema,
  ListConfigHistoryResponseSchema,
  PlanConfigResponseSchema,
  PlanDocumentsResponseSchema,
  RollbackConfigResponseSchema,
} from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { parseConfig, redactConfig, renderConfig, writeConfig } from '@plinth/config';
import { clientReach, sessionKey } from '../server/client-reach.ts';
import { callerKey, requireRole } from '../server/guard.ts';
import { checkReason, checkSize } from './check-request.ts';
import { askedMode, modeMessage, planMessage, revisionMessage, trialMessage } from './config-messages.ts';
import { mergeGiven, refuseGuarded } from './merge-request.ts';
import { readBootTime } from './transaction/choose-config.ts';
import { hashOf } from './transaction/config-store.ts';
import { findDrift } from './transaction/machine-files.ts';
import type { ConfigTransaction } from './transaction/open-transaction.ts';
import {
  type ApplyOptions,
  type Author,
  type ConfigOperations,
  parseGiven,
} from './transaction/operations.ts';
import { revisionOf } from './transaction/state.ts';

export interface ConfigServiceParts {
  readonly transaction: ConfigTransaction;
  readonly operations: ConfigOperations;
  /** Where the config in effect came from. */
  readonly source: () => string;
  /** What is wrong with the config the machine is provisioned with. */
  readonly provisioningProblems: readonly string[];
}

/** Room for the fields around the config. */
const MESSAGE_LIMIT_BYTES = CONFIG_LIMIT_BYTES + 16 * 1024;
const TRY_REFUSED = 'documents are applied at once or at the next boot, expected mode auto or staged';
const CONFIRM_WITHIN = { leastMs: 10_000, mostMs: 60 * 60_000, defaultMs: 120_000 };

/** configService gives the routes of plinth.node.v1.ConfigService. */
export function configService(parts: ConfigServiceParts): (router: ConnectRouter) => void {
  const { transaction, operations } = parts;
  const { sys } = transaction.parts;
  const trial = async () =>
    trialMessage(transaction.state(), await readBootTime(sys), transaction.obstacles());
  const mergedPlan = async (documents: Uint8Array) => {
    checkSize(documents);
    const merged = mergeGiven(transaction.config(), documents);
    return { ...merged, planned: await operations.plan(merged.text, 0) };
  };
  const isStaged = (text: Uint8Array) => {
    const state = transaction.state();
    return state.staged !== undefined && revisionOf(state, state.staged.revision)?.hash === hashOf(text);
  };
  const routes: ServiceImpl<typeof ConfigService> = {
    getConfigStatus: (_request, context) => status(parts, seesText(context)),
    listConfigHistory: (_request, context) => {
      const state = transaction.state();
      const revisions = state.history
        .map((each) => revisionMessage(state, each, seesText(context)))
        .reverse();
      return create(ListConfigHistoryResponseSchema, { revisions });
    },
    getConfig: async ({ revision: number }, context) => {
      const { revision, text } = await operations.read(number);
      const whole = seesText(context);
      return create(GetConfigResponseSchema, {
        revision: revisionMessage(transaction.state(), revision, whole),
        config: whole ? new Uint8Array(text) : withoutSecrets(text, number),
        redacted: !whole,
      });
    },
    planConfig: async ({ config, toRevision, fromRevision }) => {
      checkSize(config);
      const to = config.length > 0 ? config : toRevision;
      const plan = planMessage(await operations.plan(to || transaction.state().current, fromRevision));
      return create(PlanConfigResponseSchema, { plan });
    },
    applyConfig: async (request, context) => {
      checkSize(request.config);
      const options = { ...optionsOf(request, context), baseHash: request.baseHash || undefined };
      const { revision, mode } = await operations.apply(request.config, authorOf(request, context), options);
      const open = mode === undefined || mode === 'staged' ? undefined : await trial();
      return create(ApplyConfigResponseSchema, {
        ...{ revision, unchanged: mode === undefined, mode: modeMessage(mode) },
        ...(open && { trial: open }),
      });
    },
    planDocuments: async ({ documents }, context) => {
      const { planned, text } = await mergedPlan(documents);
      const plan = planMessage(planned);
      return create(PlanDocumentsResponseSchema, {
        plan: seesText(context) ? plan : { ...plan, baseHash: '' },
        staged: isStaged(text),
      });
    },
    applyDocuments: async (request, context) => {
      const { planned, text, config } = await mergedPlan(request.documents);
      refuseGuarded(transaction.config(), config, roleOf(context));
      const author = authorOf(request, context);
      const { staged, current } = transaction.state();
      if (staged && isStaged(text))
        return create(ApplyDocumentsResponseSchema, { revision: staged.revision, unchanged: true });
      const options = optionsOf({ mode: request.mode || ConfigMode.AUTO }, context);
      if (options.mode === 'try') throw new ConnectError(TRY_REFUSED, Code.InvalidArgument);
      // What is in effect has the documents; what waits for the next boot is not theirs to drop.
      if (planned.plan.changes.length === 0)
        return create(ApplyDocumentsResponseSchema, { revision: current, unchanged: true });
      const { revision, mode } = await operations.apply(text, author, {
        ...{ ...options, baseHash: planned.baseHash },
      });
      const open = mode === undefined || mode === 'staged' ? undefined : await trial();
      return create(ApplyDocumentsResponseSchema, {
        ...{ revision, unchanged: mode === undefined },
        ...(open && { trial: open }),
      });
    },
    confirmConfig: async ({ revision }, context) => {
      await operations.confirm(revision, authorOf({ reason: '' }, context));
      return create(ConfirmConfigResponseSchema);
    },
    rollbackConfig: async (request, context) => {
      if (request.revision !== 0) {
        const { text } = await operations.read(request.revision);
        refuseGuarded(transaction.config(), parseGiven(text), roleOf(context));
      }
      const { undone, revision, mode } = await operations.rollback(
        request.revision,
        authorOf(request, context),
        optionsOf(request, context),
      );
      const open = mode === undefined || mode === 'staged' ? undefined : await trial();
      return create(RollbackConfigResponseSchema, {
        ...{ undoneRevision: undone, revision, mode: modeMessage(mode) },
        ...(open && { trial: open }),
      });
    },
  };
  return (router) => {
    router.service(ConfigService, routes, { readMaxBytes: MESSAGE_LIMIT_BYTES });
  };
}

/** Only admins see a config with its secrets. */
function seesText(context: HandlerContext): boolean {
  return roleOf(context) === 'plinth:admin';
}

function roleOf(context: HandlerContext): string {
  return requireRole(context.values.get(callerKey)).role;
}

async function status(
  parts: ConfigServiceParts,
  whole: boolean,
): Promise<MessageShape<typeof GetConfigStatusResponseSchema>> {
  const { transaction, source, provisioningProblems } = parts;
  const { sys } = transaction.parts;
  const state = transaction.state();
  const current = revisionOf(state, state.current);
  const trial = trialMessage(state, await readBootTime(sys), transaction.obstacles());
  // While it is being brought about the files differ by right.
  const drift = state.work.done ? await findDrift(sys, renderConfig(transaction.config())) : [];
  return create(GetConfigStatusResponseSchema, {
    ...(current && { current: revisionMessage(state, current, whole) }),
    source: source(),
    ...(trial && { trial }),
    stagedRevision: state.staged?.revision ?? 0,
    settled: state.work.done,
    problem: transaction.problem(),
    drift: [...drift],
    rebootNeeded: [...state.work.reboot],
    provisioningProblems: [...provisioningProblems],
  });
}

/** Comments of the text are not in it either: people write passwords there too. */
function withoutSecrets(text: Uint8Array, revision: number): Uint8Array {
  const parsed = parseConfig(text, `revision ${revision}`);
  if (parsed.ok) return Buffer.from(writeConfig(redactConfig(parsed.value)));
  throw new PlinthError(
    'config/unreadable',
    `Cannot take the secrets out of revision ${revision}: this release cannot read it, expected it to`,
  );
}

function authorOf({ reason }: { readonly reason: string }, context: HandlerContext): Author {
  checkReason(reason);
  return { name: requireRole(context.values.get(callerKey)).commonName, reason };
}

interface TransactionRequest {
  readonly mode: ConfigMode;
  readonly confirmWithin?: Duration | undefined;
}

function optionsOf({ mode, confirmWithin }: TransactionRequest, context: HandlerContext): ApplyOptions {
  const { leastMs, mostMs, defaultMs } = CONFIRM_WITHIN;
  const confirmWithinMs = confirmWithin ? durationMs(confirmWithin) : defaultMs;
  if (!(confirmWithinMs >= leastMs && confirmWithinMs <= mostMs))
    throw new ConnectError('confirm_within is out of range, expected 10 s to 1 h', Code.InvalidArgument);
  const asked = askedMode(mode);
  if (asked === undefined && mode !== ConfigMode.UNSPECIFIED)
    throw new ConnectError(
      'mode is not one this node knows, expected auto, staged or try',
      Code.InvalidArgument,
    );
  const session = context.values.get(sessionKey);
  return { mode: asked, confirmWithinMs, ...(session && { reach: clientReach(session) }) };
}
