/** Refreshing leases over a stream. Each refresh is a call of the history; answers come in the order of requests (LEASE-17). */
import { type LeaseKeepAliveResponse, StatusCode } from "@holdfast/protocol";
import type { CallEnd, CallListener, ClientCall } from "@holdfast/transport";
import type { CallOf, Fate } from "../history/calls.js";
import type { Actor } from "./actor.js";
import { keepAliveMethod } from "./call-methods.js";
import type { Connected, Reconnecting } from "./line.js";

interface Waiting {
  readonly call: CallOf<"leaseKeepAlive">;
  readonly settle: (fate: Fate<LeaseKeepAliveResponse>) => void;
}

/** One stream on one connection. */
class RefreshStream implements CallListener {
  readonly #actor: Actor;
  readonly #client: string;
  readonly #connection: number;
  readonly #call: ClientCall;
  readonly #waiting: Waiting[] = [];
  open = true;

  constructor(actor: Actor, client: string, { id, grpc }: Connected) {
    this.#actor = actor;
    this.#client = client;
    this.#connection = id;
    this.#call = grpc.open(keepAliveMethod.path, this);
  }

  refresh(lease: bigint, deadlineMs: number): Promise<Fate<LeaseKeepAliveResponse>> {
    const { recorder } = this.#actor.scene;
    const caller = { client: this.#client, connection: this.#connection };
    const call = recorder.begin("leaseKeepAlive", caller, () => keepAliveMethod.request.create({ id: lease }));
    this.#actor.callsMade++;
    return new Promise((resolve) => {
      const timer = this.#actor.party.clock.after(deadlineMs, () => this.#call.cancel());
      const settle = (fate: Fate<LeaseKeepAliveResponse>): void => {
        timer.cancel();
        recorder.end(call, fate);
        resolve(fate);
      };
      this.#waiting.push({ call, settle });
      this.#call.send(keepAliveMethod.request.encode(call.request));
    });
  }

  close(): void {
    this.#call.halfClose();
  }

  message(bytes: Uint8Array): void {
    if (!this.#actor.party.alive) return;
    const response = keepAliveMethod.response.decode(bytes.slice());
    const oldest = this.#waiting.shift();
    this.#actor.scene.heard(response.header?.revision);
    if (oldest?.call.request.id === response.id) oldest.settle({ fate: "done", response });
    else this.#actor.scene.complain(this.#client, `LEASE-17: an answer about lease ${response.id} that was not next`);
  }

  end(end: CallEnd): void {
    this.open = false;
    if (!this.#actor.party.alive) return;
    // An end with OK before the answer says nothing about the refresh.
    const status = end.status.code === StatusCode.ok ? { code: StatusCode.unavailable, message: "EOF" } : end.status;
    const fate = this.#actor.fate<never>({ ...end, status }, () => {
      throw new Error("a stream that failed cannot be done");
    });
    for (const { settle } of this.#waiting.splice(0)) settle(fate);
  }
}

/** Refreshes over one connection, with a new stream where the old one is gone. */
export class Refresher {
  readonly #actor: Actor;
  readonly #line: Reconnecting;
  readonly #client: string;
  #stream: RefreshStream | undefined = undefined;

  constructor(actor: Actor, branch: string, line: Reconnecting = actor.line) {
    this.#actor = actor;
    this.#line = line;
    this.#client = `${actor.name}/${branch}`;
  }

  /** Refreshes once. Never rejects; a passed deadline ends the stream, and with it what else waits on it. */
  async refresh(lease: bigint): Promise<Fate<LeaseKeepAliveResponse>> {
    const stream = await this.#openStream();
    const fate = await stream.refresh(lease, this.#actor.scene.config.deadlineMs);
    if (fate.fate === "unknown") this.#line.drop();
    return fate;
  }

  close(): void {
    this.#stream?.close();
    this.#stream = undefined;
  }

  async #openStream(): Promise<RefreshStream> {
    if (this.#stream?.open === true) return this.#stream;
    this.#stream = new RefreshStream(this.#actor, this.#client, await this.#line.ready());
    return this.#stream;
  }
}
