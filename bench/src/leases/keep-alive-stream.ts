/** One stream of LeaseKeepAlive with some leases: answers come in the order of the requests (LEASE-17). */
import { leaseService } from "@holdfast/protocol";
import type { CallListener, DriverConnection, DriverStream } from "../driver/driver-connection.js";
import type { Connections } from "../load/connections.js";

const { path, request, response } = leaseService.methods.leaseKeepAlive;
/** One answer of so many is decoded and looked at in full. */
const sampleEvery = 1000;

/** Told of each answer: which lease of the stream, how long it took, whether the lease lives. */
export type AnswerHandler = (stream: KeepAliveStream, lease: number, tookMs: number, isAlive: boolean) => void;

export class KeepAliveStream implements CallListener {
  readonly leases: readonly bigint[];
  readonly #stream: DriverStream;
  readonly #onAnswer: AnswerHandler;
  readonly #messages: readonly Uint8Array[];
  /** How every answer ends for a lease that lives: with the TTL that was granted (LEASE-18), field 3. */
  readonly #aliveEnd: Uint8Array;
  /** Numbers of the leases that were asked for, oldest first, in a ring; each is asked for once at a time. */
  readonly #asked: Int32Array;
  readonly #askedAtMs: Float64Array;
  #next = 0;
  #answered = 0;

  constructor(connection: DriverConnection, leases: readonly bigint[], ttlSeconds: number, onAnswer: AnswerHandler) {
    this.leases = leases;
    this.#onAnswer = onAnswer;
    this.#messages = leases.map((id) => request.encode(request.create({ id })));
    this.#aliveEnd = response.encode(response.create({ ttl: ttlSeconds }));
    this.#asked = new Int32Array(leases.length);
    this.#askedAtMs = new Float64Array(leases.length);
    this.#stream = connection.open(path, this);
  }

  /** So many streams with an equal share of the leases each. */
  static openAll(
    connections: Connections,
    leases: readonly bigint[],
    { count, ttlSeconds }: { readonly count: number; readonly ttlSeconds: number },
    onAnswer: AnswerHandler,
  ): KeepAliveStream[] {
    const share = leases.length / count;
    return Array.from({ length: count }, (_, number) => {
      const ofStream = leases.slice(number * share, (number + 1) * share);
      return new KeepAliveStream(connections.at(number), ofStream, ttlSeconds, onAnswer);
    });
  }

  /** Renews the lease with this number; its last renewal must have been answered. */
  renew(lease: number, nowMs: number): void {
    const at = this.#next++ % this.#asked.length;
    this.#asked[at] = lease;
    this.#askedAtMs[at] = nowMs;
    this.#stream.send(this.#messages[lease]!);
  }

  message(chunk: Uint8Array, from: number, to: number): void {
    const at = this.#answered++ % this.#asked.length;
    const lease = this.#asked[at]!;
    if (this.#answered % sampleEvery === 0) this.#look(chunk, from, to, lease);
    this.#onAnswer(this, lease, performance.now() - this.#askedAtMs[at]!, this.#isAlive(chunk, from, to));
  }

  end(status: number, text: string): void {
    throw new Error(`LeaseKeepAlive ended with status ${status}: ${text}`);
  }

  cancel(): void {
    this.#stream.cancel();
  }

  #isAlive(chunk: Uint8Array, from: number, to: number): boolean {
    const end = this.#aliveEnd;
    const start = to - end.length;
    for (let i = 0; i < end.length; i++) if (chunk[start + i] !== end[i]) return false;
    return start >= from;
  }

  #look(chunk: Uint8Array, from: number, to: number, lease: number): void {
    const { id } = response.decode(chunk, from, to);
    if (id !== this.leases[lease]) throw new Error(`LeaseKeepAlive answered lease ${id}, not ${this.leases[lease]}`);
  }
}
