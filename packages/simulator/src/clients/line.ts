/**
 * A client's connection to the server, made again whenever it is lost. Calls are never repeated here: each attempt is a
 * call of its own, and whether to make one is the client's decision.
 */
import { defaultLimits, GrpcClient } from "@holdfast/transport";
import type { SeededRandom } from "../world/random.js";
import type { Party } from "../world/world.js";

/** What clients use of a connection. */
export type Channel = Pick<GrpcClient, "unary" | "open">;

/** A connection that calls can be made on. */
export interface Connected {
  /** Unique in the history. */
  readonly id: number;
  readonly grpc: Channel;
}

/** What a stream that may have to be opened again needs of a line. */
export type Reconnecting = Pick<Line, "ready" | "drop">;

/**
 * Answers may be larger than what a server takes as a request. If one were turned away here for its size, its code would
 * look like a refusal by the server.
 */
const ANSWER_BYTES_MAX = 64 * defaultLimits.messageBytesMax;
/** Small windows make a client that reads slowly felt at once. */
const WINDOWS_BYTES = [256, 4_096, defaultLimits.streamReceiveWindowBytes];

export class Line {
  readonly #party: Party;
  readonly #random: SeededRandom;
  readonly #nextId: () => number;
  readonly #retryMs: number;
  #connected: (Connected & { readonly grpc: GrpcClient }) | undefined = undefined;
  #dialing: Promise<Connected> | undefined = undefined;
  /** When the last connection was made, on the client's clock. */
  #connectedMs = Number.NEGATIVE_INFINITY;

  /** @param retryMs about how long to wait before dialing again after a failure. */
  constructor(party: Party, random: SeededRandom, nextId: () => number, retryMs: number) {
    this.#party = party;
    this.#random = random;
    this.#nextId = nextId;
    this.#retryMs = retryMs;
  }

  /** Resolves once there is a connection, however long that takes. */
  async ready(): Promise<Connected> {
    if (this.#connected?.grpc.usable === true) return this.#connected;
    this.#dialing ??= this.#dial();
    return this.#dialing;
  }

  /** Cuts the connection: what is open on it ends with "connection lost". */
  drop(): void {
    this.#connected?.grpc.destroy();
    this.#connected = undefined;
  }

  /** Lets what is open end, and makes no more calls on this connection. */
  close(): void {
    this.#connected?.grpc.close();
    this.#connected = undefined;
  }

  async #dial(): Promise<Connected> {
    // A server that takes connections only to close them is not called again and again.
    if (this.#party.clock.nowMs() - this.#connectedMs < this.#retryMs) await this.#pause();
    for (;;) {
      try {
        const socket = await this.#party.connect();
        this.#connectedMs = this.#party.clock.nowMs();
        const limits = {
          messageBytesMax: ANSWER_BYTES_MAX,
          streamReceiveWindowBytes: this.#random.pick(WINDOWS_BYTES),
        };
        const grpc = new GrpcClient(socket, "server", { clock: this.#party.clock, limits });
        this.#connected = { id: this.#nextId(), grpc };
        this.#dialing = undefined;
        return this.#connected;
      } catch {
        await this.#pause();
      }
    }
  }

  #pause(): Promise<void> {
    return this.#party.sleep(this.#random.within(this.#retryMs / 2, this.#retryMs * 1.5));
  }
}
