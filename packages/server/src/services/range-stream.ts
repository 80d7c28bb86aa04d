/**
 * KV.RangeStream: one read, pinned to one revision, sent in pieces whose protobuf merge is what Range
 * would have answered (KV-14 to KV-20). Pieces are read only as fast as the client takes them.
 */
import {
  createRangeResponse,
  encodeSharedRangeStreamResponse,
  etcdTexts,
  kvService,
  type RangeRequest,
  type RangeResponse,
  SortOrder,
  SortTarget,
} from "@holdfast/protocol";
import { type Action, type Caller, checkRange, type RangeReader } from "@holdfast/state-machine";
import type { Method, ServerCall } from "@holdfast/transport";
import { refuseToken } from "../access/access.js";
import type { ServiceContext } from "./context.js";
import { refuse, serverStream } from "./method.js";
import { okStatus, statusOf, statusOfRefusal } from "./status.js";

const firstPieceKeys = 10;

export function rangeStreamMethod(context: ServiceContext): Method {
  return serverStream(context, kvService.methods.rangeStream, (request, call) => {
    if (refuse(call, checkRange(request)) || refuseUnsupported(request, call)) return;
    context.replica.whenCurrent(() => start(request, call, context));
  });
}

function refuseUnsupported(request: RangeRequest, call: ServerCall): boolean {
  const { sortOrder, sortTarget } = request;
  const unsorted = sortOrder === SortOrder.NONE;
  const byKey = sortOrder === SortOrder.ASCEND && sortTarget === SortTarget.KEY;
  const filtered =
    request.minModRevision !== 0 ||
    request.maxModRevision !== 0 ||
    request.minCreateRevision !== 0 ||
    request.maxCreateRevision !== 0;
  if (!unsorted && !byKey) call.end(statusOf(etcdTexts.rangeStreamSortOrder));
  else if (filtered) call.end(statusOf(etcdTexts.rangeStreamRevisionFilter));
  else return false;
  return true;
}

function start(request: RangeRequest, call: ServerCall, context: ServiceContext): void {
  const caller = context.access.identify(call);
  if (refuseToken(call, caller)) return;
  const action: Action = { kind: "range", request };
  if (refuse(call, context.access.refusal(action, caller))) return;
  // The reader keeps to key order whatever the target (KV-19).
  const reader = context.replica.machine.rangeReader(request);
  if (reader.kind === "refused") {
    call.end(statusOfRefusal(reader.refusal));
    return;
  }
  new RangeStream({ reader: reader.reader, isHistorical: request.revision > 0, action, caller, call, context }).run();
}

interface RangeStreamOptions {
  readonly reader: RangeReader;
  /** Whether an explicit revision was asked for. */
  readonly isHistorical: boolean;
  /** What is read, and who reads it: asked again for each piece. */
  readonly action: Action;
  readonly caller: Caller | undefined;
  readonly call: ServerCall;
  readonly context: ServiceContext;
}

class RangeStream {
  readonly #reader: RangeReader;
  readonly #call: ServerCall;
  readonly #context: ServiceContext;
  readonly #isHistorical: boolean;
  readonly #action: Action;
  readonly #caller: Caller | undefined;
  #pieceKeys = firstPieceKeys;
  #scheduled = false;

  constructor({ reader, isHistorical, action, caller, call, context }: RangeStreamOptions) {
    this.#reader = reader;
    this.#isHistorical = isHistorical;
    this.#action = action;
    this.#caller = caller;
    this.#call = call;
    this.#context = context;
    call.onDrain(() => this.run());
  }

  /** Sends pieces until the client is congested, one a turn so that others are served in between. */
  run(): void {
    if (this.#scheduled || this.#call.ended || this.#call.congested || !this.#sendPiece()) return;
    this.#scheduled = true;
    this.#context.environment.defer(() => {
      this.#scheduled = false;
      this.run();
    });
  }

  /** The revision that was current at the start, or now if an old one was asked for (GEN-2, KV-15). */
  get #headerRevision(): number {
    return this.#isHistorical ? this.#context.replica.machine.revision : this.#reader.revision;
  }

  /** Sends the next piece. True if there is more to send. */
  #sendPiece(): boolean {
    const { access } = this.#context;
    // Nothing more goes to a user who has lost the right to it since the last piece.
    if (access.enabled && refuse(this.#call, access.refusal(this.#action, access.asOfNow(this.#caller)))) return false;
    const piece = this.#reader.next(this.#pieceKeys);
    if (piece.kind === "refused") {
      this.#call.end(statusOfRefusal(piece.refusal));
      return false;
    }
    const reader = this.#reader;
    const response: RangeResponse = piece.done
      ? createRangeResponse({
          kvs: piece.kvs,
          header: this.#context.header(this.#headerRevision),
          more: reader.more,
          count: reader.count,
        })
      : createRangeResponse({ kvs: piece.kvs });
    if (piece.kvs.length === 0 && !piece.done) return true;
    const bytes = encodeSharedRangeStreamResponse({ rangeResponse: response });
    this.#resize(bytes.length);
    this.#call.send(bytes);
    if (piece.done) this.#call.end(okStatus);
    return !piece.done;
  }

  /** Pieces grow while small and shrink when large (KV-16). */
  #resize(bytes: number): void {
    const { requestBytes } = this.#context.limits;
    if (bytes < requestBytes / 2) this.#pieceKeys *= 2;
    else if (bytes > requestBytes * 2) this.#pieceKeys = Math.max(1, this.#pieceKeys >> 1);
  }
}
