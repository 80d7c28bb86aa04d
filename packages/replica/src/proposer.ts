/** Who proposed a command and what can become of the proposal. */
import type { Outcome } from "@holdfast/state-machine";

/**
 * Why a proposal did not come to an outcome. All but the last are refusals: the command has no effect,
 * now or later. `unknown` means it may or may not be in the log (fault-model section 4).
 */
export type ProposalFailure = "too-many-requests" | "too-large" | "no-space" | "stopped" | "unknown";

/** Exactly one of the two methods is called, once. Neither may throw. */
export interface Proposer {
  /** The command is durable and applied; called in the turn in which it was. */
  settled(outcome: Outcome): void;
  failed(failure: ProposalFailure): void;
}
