/** One life of one client: a party of the world with a connection, that makes calls and has them taken down. */
import { type MessageCodec, type MethodDescriptor, type ResponseHeader, StatusCode } from "@holdfast/protocol";
import type { CallOptions, UnaryResult } from "@holdfast/transport";
import type { CallTypes, Fate } from "../history/calls.js";
import type { SeededRandom } from "../world/random.js";
import type { Party } from "../world/world.js";
import { type UnaryKind, unaryMethods } from "./call-methods.js";
import { classOf, type Ended } from "./classify.js";
import { Line } from "./line.js";
import type { Scene } from "./scene.js";

type Request<Kind extends UnaryKind> = CallTypes[Kind]["request"];
type Response<Kind extends UnaryKind> = CallTypes[Kind]["response"];

/** How one call differs from the client's others. */
export interface CallSettings {
  /** Milliseconds; the configured deadline otherwise. */
  readonly deadlineMs?: number;
  /** Another connection than the client's first. */
  readonly line?: Line;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
  /** Added to the client's name, where it has several calls under way at a time. */
  readonly branch?: string;
}

/** Pause between two attempts of something that must work in the end. */
const RETRY_MS = 250;
/** Whoever needs an answer has more patience than those who only try. */
const HEALING_PATIENCE = 4;

export class Actor {
  readonly party: Party;
  readonly scene: Scene;
  readonly random: SeededRandom;
  /** The client's first connection. */
  readonly line: Line;
  /** Calls that this life has made. */
  callsMade = 0;
  readonly #onKilled: (() => void)[] = [];

  constructor(scene: Scene, party: Party) {
    this.scene = scene;
    this.party = party;
    this.random = party.random("choices");
    this.line = this.newLine("line");
    party.onKilled(() => {
      for (const listener of this.#onKilled) listener();
    });
  }

  get name(): string {
    return this.party.name;
  }

  /** Deadline of calls that do not wait for anybody else. */
  get deadlineMs(): number {
    const { config, healing } = this.scene;
    return healing ? HEALING_PATIENCE * config.deadlineMs : config.deadlineMs;
  }

  /** Another connection to the server. */
  newLine(concern: string): Line {
    const nextId = (): number => this.scene.recorder.nextConnection();
    return new Line(this.party, this.party.random(concern), nextId, this.scene.config.redialMs);
  }

  /** Told once if this life ends early. */
  onKilled(listener: () => void): void {
    this.#onKilled.push(listener);
  }

  /** Makes one call on a connection, waiting for one if there is none, and takes it down. Never rejects. */
  async call<Kind extends UnaryKind>(
    kind: Kind,
    build: (tag: string) => Partial<Request<Kind>>,
    settings: CallSettings = {},
  ): Promise<Fate<Response<Kind>>> {
    const { recorder } = this.scene;
    const line = settings.line ?? this.line;
    const { id: connection, grpc } = await line.ready();
    const { path, request, response }: MethodDescriptor<Request<Kind>, Response<Kind>, "unary"> = unaryMethods[kind];
    const client = settings.branch === undefined ? this.name : `${this.name}/${settings.branch}`;
    const call = recorder.begin<Kind>(kind, { client, connection }, (tag) => request.create(build(tag)));
    this.callsMade++;
    const result = await grpc.unary(path, request.encode(call.request), this.#options(settings));
    await this.#survive();
    const fate = this.#fateOf(response, result);
    recorder.end<Kind>(call, fate);
    this.scene.world.note(`${client} ${kind} #${call.id} ${describe(fate)}`);
    if (result.status.code === StatusCode.deadlineExceeded && settings.signal === undefined) this.#suspect(line);
    return fate;
  }

  /** A call that leaves no record: what it does is no matter of the checks. Its bytes are the answer, if it got one. */
  async callUnrecorded<Request, Response>(
    { path, request, response }: MethodDescriptor<Request, Response, "unary">,
    fields: Partial<Request>,
    settings: CallSettings = {},
  ): Promise<Fate<Response>> {
    const { grpc } = await (settings.line ?? this.line).ready();
    const result = await grpc.unary(path, request.encode(request.create(fields)), this.#options(settings));
    await this.#survive();
    return this.#fateOf(response, result);
  }

  /** Pauses as people and programs do between two things they do. */
  async think(): Promise<void> {
    const { config, healing } = this.scene;
    await this.party.sleep(healing ? RETRY_MS : Math.min(this.random.wait(config.thinkMs), 10 * config.thinkMs));
  }

  /** Repeats `attempt` until it returns true. */
  async until(attempt: () => Promise<boolean>): Promise<void> {
    while (!(await attempt())) await this.party.sleep(RETRY_MS);
  }

  /** The class and contents of an ended call. */
  fate<Response>(ended: Ended, response: () => Response): Fate<Response> {
    const fate = classOf(ended);
    if (fate === "done") return { fate, response: response() };
    return { fate, code: ended.status.code, message: ended.status.message };
  }

  /** A dead client's program stops here. */
  async #survive(): Promise<void> {
    if (!this.party.alive) await new Promise<never>(() => {});
  }

  #fateOf<Response>(codec: MessageCodec<Response>, result: UnaryResult): Fate<Response> {
    const fate = this.fate(result, () => codec.decode(result.message!));
    if (fate.fate === "done") this.scene.heard(headerOf(fate.response)?.revision);
    return fate;
  }

  #options(settings: CallSettings): CallOptions {
    return {
      deadlineMs: settings.deadlineMs ?? this.deadlineMs,
      ...(settings.signal === undefined ? {} : { signal: settings.signal }),
    };
  }

  /** No answer in time: the connection may be dead without a word. Some clients wait a little longer to find out. */
  #suspect(line: Line): void {
    if (this.scene.healing || this.random.chance(0.6)) line.drop();
  }
}

function headerOf(response: unknown): ResponseHeader | undefined {
  return (response as { readonly header?: ResponseHeader | undefined }).header;
}

function describe(fate: Fate<unknown>): string {
  return fate.fate === "done" ? "done" : `${fate.fate} (${fate.code} ${fate.message})`;
}
