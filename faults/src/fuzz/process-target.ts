/**
 * Fuzzing a real server over its port: each input is what one client sends. What is common to all protocols: connections
 * come and go, the process lives, and afterwards it holds no more than before.
 */
import { connect, type Socket } from "node:net";
import type { ScenarioContext } from "../scenario.js";
import { ServerProcess } from "../server-process.js";
import type { FuzzTarget } from "./fuzz-target.js";
import { pieces } from "./pieces.js";
import type { Random } from "./random.js";

/** A client that has sent everything waits no longer for the server to close the connection, and goes. */
const patienceMs = 10;
/** How long the server may take to be done with the last clients. */
const settleMs = 10_000;
const lookMs = 50;
/** Above what a garbage collector leaves lying about. */
const growthBytesMax = 192 * 1024 * 1024;
/** The scrape of the metrics may not be quite gone. Thousands have come and gone: a leak is far above it. */
const socketsGrowthMax = 2;
/** Two for each of a new segment and a spare one, and those of a thread that starts when the first snapshot is due. */
const descriptorsGrowthMax = 16;
/** A process that dies of an input may do so while the next ones are sent. */
const inputsRemembered = 8;
const outputLines = 6;
/** What must be 0 when nobody is connected. */
const gauges = [
  "holdfast_transport_streams",
  "holdfast_transport_connections",
  "holdfast_transport_buffered_bytes",
] as const;

/** An input: how it is cut into pieces (four bytes), then what the client sends. */
export abstract class ProcessTarget implements FuzzTarget {
  abstract readonly name: string;
  readonly #context: ScenarioContext;
  #server: ServerProcess | undefined;
  #baseline = { bytes: 0, descriptors: 0, sockets: 0 };
  #recent: string[] = [];
  #answeredBytes = 0;
  #runs = 0;

  constructor(context: ScenarioContext) {
    this.#context = context;
  }

  /** What one client sends. */
  protected abstract bytesOf(random: Random): Buffer;

  /** An honest use of the server at `endpoint` by somebody else. Throws if it is not served. */
  protected abstract honestUse(endpoint: string): Promise<void>;

  async open(): Promise<void> {
    await this.#running();
  }

  generate(random: Random): Buffer {
    const cuts = Buffer.alloc(4);
    cuts.writeUInt32BE(random.chance(2) ? 0 : random.next());
    return Buffer.concat([cuts, this.bytesOf(random)]);
  }

  async run(input: Buffer): Promise<void> {
    if (input.length < 4) return;
    const server = await this.#running();
    this.#recent = [...this.#recent.slice(1 - inputsRemembered), input.subarray(4).toString("hex")];
    this.#runs++;
    await this.#send(server, pieces(input.subarray(4), input.readUInt32BE(0)));
    this.#assertAlive(server);
  }

  async check(): Promise<void> {
    const server = await this.#running();
    await this.honestUse(server.endpoint);
    await this.#untilSettled(server);
    const grownBytes = server.residentBytes() - this.#baseline.bytes;
    const grownDescriptors = server.openDescriptors() - this.#baseline.descriptors;
    const grownSockets = server.openSockets() - this.#baseline.sockets;
    this.#context.note(
      `${Math.round(grownBytes / 2 ** 20)} MiB more memory, ${grownDescriptors} more descriptors than at first, ${grownSockets} of them sockets`,
    );
    if (grownBytes > growthBytesMax) throw new Error(`the server has grown by ${grownBytes} bytes`);
    if (grownSockets > socketsGrowthMax) throw new Error(`the server holds ${grownSockets} more sockets`);
    if (grownDescriptors > descriptorsGrowthMax)
      throw new Error(`the server holds ${grownDescriptors} more descriptors`);
  }

  figures(): string {
    return `${this.#runs} connections, ${this.#answeredBytes} bytes of answers`;
  }

  async #running(): Promise<ServerProcess> {
    if (this.#server !== undefined && this.#server.end === undefined) return this.#server;
    const dataDir = `${this.#context.folder}/data-${performance.now()}`;
    const server = await ServerProcess.start({ dataDir }, this.#context);
    this.#server = server;
    await this.honestUse(server.endpoint);
    this.#baseline = {
      bytes: server.residentBytes(),
      descriptors: server.openDescriptors(),
      sockets: server.openSockets(),
    };
    return server;
  }

  #send(server: ServerProcess, parts: readonly Buffer[]): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect({ host: server.host, port: server.port, noDelay: true });
      socket.on("data", (bytes: Buffer) => {
        this.#answeredBytes += bytes.length;
      });
      // A reset is an end like any other.
      socket.on("error", () => {});
      socket.once("close", () => resolve());
      socket.once("connect", () => sendParts(socket, parts));
    });
  }

  #assertAlive({ end, output }: ServerProcess): void {
    if (end === undefined) return;
    const last = output.slice(-outputLines).join("\n    ");
    const inputs = this.#recent.join("\n    ");
    throw new Error(
      `the server ended with ${end.signal ?? end.exitCode}:\n    ${last}\n  the last inputs:\n    ${inputs}`,
    );
  }

  async #untilSettled(server: ServerProcess): Promise<void> {
    const untilMs = performance.now() + settleMs;
    for (;;) {
      const left = await gaugesAbove(server.endpoint);
      if (left.length === 0) return;
      if (performance.now() > untilMs) throw new Error(`left behind: ${left.join(", ")}`);
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  }
}

/** One after the other in turns of their own, then the end; a client whose server does not care goes by itself. */
function sendParts(socket: Socket, parts: readonly Buffer[], at = 0): void {
  if (at < parts.length && socket.writable) {
    socket.write(parts[at] as Buffer);
    setImmediate(() => sendParts(socket, parts, at + 1));
    return;
  }
  socket.end();
  const timer = setTimeout(() => socket.destroy(), patienceMs);
  socket.once("close", () => clearTimeout(timer));
}

/** The gauges that are not at 0. */
async function gaugesAbove(endpoint: string): Promise<string[]> {
  const response = await fetch(`http://${endpoint}/metrics`, { headers: { connection: "close" } });
  const lines = (await response.text()).split("\n");
  return gauges.flatMap((gauge) => {
    const line = lines.find((text) => text.startsWith(`${gauge} `));
    return line === undefined
      ? [`no ${gauge} (${response.status} ${(lines[0] ?? "").slice(0, 100)})`]
      : line === `${gauge} 0`
        ? []
        : [line];
  });
}
