/**
 * The services over a replica as `startServer` puts them together, with time by hand and a view inside: for what a
 * client cannot see (work done, calls left behind) and what would otherwise need waiting.
 */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { TestContext } from "node:test";
import { type Log, openMemoryLog } from "@holdfast/log";
import { Replica, type ReplicaLimits } from "@holdfast/replica";
import { GrpcServer, type MessageSink, type Method, type ServerCall, type TransportLimits } from "@holdfast/transport";
import { accessFor } from "../access/access.js";
import { passwordCostMin } from "../access/password-hash.js";
import { defaultServiceLimits, type ServiceLimits } from "../limits.js";
import type { AuthOptions } from "../server-options.js";
import { allMethods } from "../services/all.js";
import { ServiceContext } from "../services/context.js";
import { ManualTime } from "./manual-time.js";
import { TestClient } from "./test-client.js";

export interface ServicesOptions {
  readonly serviceLimits?: Partial<ServiceLimits>;
  readonly replicaLimits?: Partial<ReplicaLimits>;
  readonly transportLimits?: Partial<TransportLimits>;
  readonly auth?: AuthOptions;
  readonly quotaBytes?: number;
  /** Default: a log in memory. */
  readonly log?: Log;
}

export class Services {
  readonly time = new ManualTime();
  readonly context: ServiceContext;
  readonly grpc: GrpcServer;
  /** Causes with which the replica gave up. */
  readonly fatal: Error[];
  /** Every streaming call that was opened, oldest first. */
  readonly streams: ServerCall[] = [];
  readonly #listener = createServer((socket) => this.grpc.handleConnection(socket));
  readonly #clients: TestClient[] = [];

  private constructor(replica: Replica, time: ManualTime, fatal: Error[], options: ServicesOptions) {
    this.time = time;
    this.fatal = fatal;
    const identity = { clusterId: 7n, memberId: 8n, name: "test", clientUrls: [] };
    const limits = { ...defaultServiceLimits, ...options.serviceLimits };
    // The cheapest hash there is: what it costs is not what is tested.
    const auth = { passwordCost: passwordCostMin, ...options.auth };
    const access = accessFor(replica, time, limits, { auth, tls: { clientCertAuth: true } });
    this.context = new ServiceContext(replica, time, identity, limits, access, options.quotaBytes);
    const methods = allMethods(this.context).map((method) => this.#observed(method));
    this.grpc = new GrpcServer({ methods, limits: options.transportLimits ?? {} });
  }

  /** Starts listening on a free port; everything is gone when the test is over. */
  static async start(test: TestContext, options: ServicesOptions = {}): Promise<Services> {
    const time = new ManualTime();
    const fatal: Error[] = [];
    const replica = await Replica.start({
      log: options.log ?? (await openMemoryLog()),
      environment: time,
      limits: options.replicaLimits ?? {},
      onFatal: (cause) => fatal.push(cause),
    });
    const services = new Services(replica, time, fatal, options);
    services.#listener.listen(0, "127.0.0.1");
    await once(services.#listener, "listening");
    test.after(() => services.#stop());
    return services;
  }

  get replica(): Replica {
    return this.context.replica;
  }

  async connect(): Promise<TestClient> {
    const client = await TestClient.connect((this.#listener.address() as AddressInfo).port);
    this.#clients.push(client);
    return client;
  }

  async #stop(): Promise<void> {
    for (const client of this.#clients) client.grpc.destroy();
    this.grpc.close();
    this.#listener.close();
    await once(this.#listener, "close");
    await this.replica.close();
  }

  /** The method as it is, its calls noted in `streams`. */
  #observed(method: Method): Method {
    if (method.kind === "unary") return method;
    if (method.kind === "bidi") {
      return { ...method, open: (call): MessageSink => method.open(this.#note(call)) };
    }
    return { ...method, handle: (request, call) => method.handle(request, this.#note(call)) };
  }

  #note(call: ServerCall): ServerCall {
    this.streams.push(call);
    return call;
  }
}

/** Longer than anything in a test takes, however busy the machine is. */
const patienceMs = 30_000;

/** Resolves once `condition` holds; looks again each time the event loop has turned. */
export async function until(condition: () => boolean): Promise<void> {
  const givenUpMs = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > givenUpMs) throw new Error(`waited in vain until ${condition}`);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
