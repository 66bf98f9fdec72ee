import { apiAccessKind } from './api-access/kind.ts';
import { bootstrapContainerKind } from './bootstrap-container/kind.ts';
import { kernelModulesKind } from './kernel-modules/kind.ts';
import { kubeletKind } from './kubelet/kind.ts';
import { logShippingKind } from './log-shipping/kind.ts';
import { machineKind } from './machine/kind.ts';
import { networkKind } from './network/kind.ts';
import { operationsSessionKind } from './operations-session/kind.ts';
import { registriesKind } from './registries/kind.ts';
import { sysctlsKind } from './sysctls/kind.ts';
import { trustedCAsKind } from './trusted-cas/kind.ts';
import { updatePolicyKind } from './update-policy/kind.ts';
import { volumeKind } from './volume/kind.ts';

/**
 * Every kind of document, in the order in which a config is written. A new kind is one folder beside this file and
 * one line here; parse, write, render, plan, JSON Schema, reference and "config explain" follow from it.
 */
export const kinds = [
  machineKind,
  apiAccessKind,
  networkKind,
  sysctlsKind,
  kernelModulesKind,
  registriesKind,
  trustedCAsKind,
  kubeletKind,
  logShippingKind,
  updatePolicyKind,
  bootstrapContainerKind,
  operationsSessionKind,
  volumeKind,
] as const;
