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
/** Small pairs take more time than their bytes: more than so many at a time would keep others waiting (fault-model F14). */
const pieceKeysMax = 4_096;

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
  if (refuse(call, context.replica.machine.rangeRefusal(request))) return;
  new RangeStream({ request, action, caller, call, context }).start();
}

interface RangeStreamOptions {
  readonly request: RangeRequest;
  /** What is read, and who reads it: asked again for each piece. */
  readonly action: Action;
  readonly caller: Caller | undefined;
  readonly call: ServerCall;
  readonly context: ServiceContext;
}

class RangeStream {
  readonly #request: RangeRequest;
  readonly #call: ServerCall;
  readonly #context: ServiceContext;
  readonly #action: Action;
  readonly #caller: Caller | undefined;
  /** How many keys there are at an old revision takes long to tell; under way until there is a reader. */
  #counting: Iterator<void, number> | undefined;
  /** Keeps to key order whatever the target (KV-19). */
  #reader: RangeReader | undefined;
  #pieceKeys = firstPieceKeys;
  #scheduled = false;

  constructor({ request, action, caller, call, context }: RangeStreamOptions) {
    this.#request = request;
    this.#call = call;
    this.#context = context;
    this.#action = action;
    this.#caller = caller;
    call.onDrain(() => this.run());
  }

  /** Begins to read what is there now, unless an old revision is asked for (KV-15). */
  start(): void {
    if (isSingleKey(this.#request)) this.#open(undefined);
    else {
      this.#counting = this.#context.replica.machine.countInSlices(this.#request);
      this.#count(this.#counting);
    }
    this.run();
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
    const { machine } = this.#context.replica;
    return this.#request.revision > 0 ? machine.revision : (this.#reader?.revision ?? machine.revision);
  }

  /** Sends the next piece. True if there is more to send. */
  #sendPiece(): boolean {
    const { access } = this.#context;
    // Nothing more goes to a user who has lost the right to it since the last piece.
    if (access.enabled && refuse(this.#call, access.refusal(this.#action, access.asOfNow(this.#caller)))) return false;
    if (this.#reader === undefined) return this.#goOnCounting();
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

  /** Always true: there is more to do. */
  #count(counting: Iterator<void, number>): true {
    const step = counting.next();
    if (step.done === true) this.#open(step.value);
    return true;
  }

  /** False if the revision was compacted meanwhile (KV-20). */
  #goOnCounting(): boolean {
    if (refuse(this.#call, this.#context.replica.machine.rangeRefusal(this.#request))) return false;
    return this.#counting !== undefined && this.#count(this.#counting);
  }

  #open(count: number | undefined): void {
    const outcome = this.#context.replica.machine.rangeReader(this.#request, count);
    if (outcome.kind === "reader") this.#reader = outcome.reader;
  }

  /** Pieces grow while small and shrink when large (KV-16). */
  #resize(bytes: number): void {
    const { requestBytes } = this.#context.limits;
    if (bytes < requestBytes / 2) this.#pieceKeys = Math.min(pieceKeysMax, this.#pieceKeys * 2);
    else if (bytes > requestBytes * 2) this.#pieceKeys = Math.max(1, this.#pieceKeys >> 1);
  }
}

function isSingleKey({ rangeEnd }: RangeRequest): boolean {
  return rangeEnd === "";
}
