/**
 * Runs the script of a Node.js server that is named behind it (`node probe.js main.js …`), and watches the event loop of its
 * main thread. Whoever connects to the Unix socket named in the environment is told the longest turn since the last one
 * asked, in milliseconds, as one line. It costs the server about a twentieth of a core.
 *
 * Not loaded with `--import`: with something loaded ahead of it Holdfast does without its bundle and without Node's pool of
 * threads for its syncs, and would not be measured as it is used.
 *
 * A turn is what lies between two runs of a timer of one millisecond: handlers of sockets, timers, promises and pauses of
 * the garbage collector alike, and waiting for files. Time in which the thread could have run but the system gave its
 * core to other processes is not counted (where Linux tells it): it is the machine's, and nothing that the server does
 * makes it shorter.
 */

import { openSync, readSync } from "node:fs";
import { runMain } from "node:module";
import { createServer } from "node:net";
import { turnSocketVariable } from "./turn-reader.js";

const intervalMs = 1;
/** How long a thread ran, how long it waited for a core, both in nanoseconds, and how often it ran. */
const scheduleFile = `/proc/self/task/${process.pid}/schedstat`;
const space = 0x20;
const digitZero = 0x30;

class TurnWatch {
  readonly #schedule = openSchedule();
  readonly #text = Buffer.alloc(96);
  #lastMs = performance.now();
  #lastWaitedMs = this.#waitedMs();
  #longestMs = 0;

  tick(): void {
    let waitedMs = this.#waitedMs();
    let nowMs = performance.now();
    // The core may go to others between the two readings; then they do not belong together.
    for (let again = this.#waitedMs(); again !== waitedMs; again = this.#waitedMs()) {
      waitedMs = again;
      nowMs = performance.now();
    }
    const turnMs = nowMs - this.#lastMs - intervalMs - (waitedMs - this.#lastWaitedMs);
    if (turnMs > this.#longestMs) this.#longestMs = turnMs;
    this.#lastMs = nowMs;
    this.#lastWaitedMs = waitedMs;
  }

  /** The longest turn so far, this one included; from now on none counts that was before. */
  take(): number {
    this.tick();
    const longestMs = this.#longestMs;
    this.#longestMs = 0;
    return longestMs;
  }

  /** Time in which this thread was ready to run and did not; the second number of the file. */
  #waitedMs(): number {
    if (this.#schedule === undefined) return 0;
    const length = readSync(this.#schedule, this.#text, 0, this.#text.length, 0);
    let nanoseconds = 0;
    for (let at = this.#text.indexOf(space) + 1; at < length && this.#text[at] !== space; at += 1) {
      nanoseconds = nanoseconds * 10 + (this.#text[at] ?? 0) - digitZero;
    }
    return nanoseconds / 1e6;
  }
}

function openSchedule(): number | undefined {
  try {
    return openSync(scheduleFile, "r");
  } catch {
    return undefined;
  }
}

function watchTurns(socketPath: string): void {
  const watch = new TurnWatch();
  setInterval(() => watch.tick(), intervalMs).unref();
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.end(`${watch.take()}\n`);
  });
  // It must not keep a server alive that wants to end.
  server.listen(socketPath).unref();
}

const socketPath = process.env[turnSocketVariable];
if (socketPath !== undefined) watchTurns(socketPath);

// The server finds its arguments where they would be without the probe.
process.argv.splice(1, 1);
runMain(process.argv[1]);
