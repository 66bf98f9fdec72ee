import { decideNode, decidePolicy } from '../decide/index.ts';
import type { Decide } from './operator.ts';

/** What the operator decides by; tests bring others, to see them caught. */
export const fleetDecide: Decide = { node: decideNode, policy: decidePolicy };
