/**
 * What somebody may want to see or do without changing the state: the questions of `StateMachine.accessRefusal`.
 * Whatever changes the state is a `Command`, and is checked when it is applied.
 */
import type { ByteString, RangeRequest, TxnRequest } from "@holdfast/protocol";

export type Action =
  | { readonly kind: "range"; readonly request: RangeRequest }
  | { readonly kind: "readTxn"; readonly request: TxnRequest }
  /** `key` and `rangeEnd` as they stand in the `WatchCreateRequest` (WATCH-6, WATCH-12). */
  | { readonly kind: "watch"; readonly key: ByteString; readonly rangeEnd: ByteString }
  /** `keys`: whether the attached keys are asked for, too. */
  | { readonly kind: "leaseTimeToLive"; readonly leaseId: bigint; readonly keys: boolean }
  | { readonly kind: "leaseLeases" }
  | { readonly kind: "leaseKeepAlive"; readonly leaseId: bigint }
  | { readonly kind: "userGet"; readonly name: string }
  | { readonly kind: "roleGet"; readonly name: string }
  /** Whatever any user may do, and nobody else: MemberList, Status, Alarm GET. */
  | { readonly kind: "authenticated" }
  /** Whatever takes role `root`. */
  | { readonly kind: "admin" };
