/** A connection whose requests cost much time is not served at the cost of the others (I12). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../testing/manual-clock.js";
import { MemorySocket } from "../testing/memory-socket.js";
import { PREFACE, settings, unaryRequest } from "../testing/raw-frames.js";
import { GrpcServer } from "./server.js";
import type { Method } from "./types.js";

const SLOW = "/test.Svc/Slow";
const QUICK = "/test.Svc/Quick";
const TURN_MS = 5;
const REQUEST_MS = 2;

/** A clock that also goes on while code runs, without a timer being run in its midst. */
class SpendingClock extends ManualClock {
  spentMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.spentMs;
  }
}

class Trial {
  readonly clock = new SpendingClock();
  /** Who was served, in order. */
  readonly served: string[] = [];
  readonly server: GrpcServer;

  constructor() {
    const methods: Method[] = [
      {
        kind: "unary",
        path: SLOW,
        handle: (request, call) => this.#serve(request, REQUEST_MS, () => call.reply(request)),
      },
      { kind: "unary", path: QUICK, handle: (request, call) => this.#serve(request, 0, () => call.reply(request)) },
    ];
    this.server = new GrpcServer({ methods, clock: this.clock, limits: { turnMs: TURN_MS, sweepIntervalMs: 1e9 } });
  }

  connect(): MemorySocket {
    const socket = new MemorySocket();
    this.server.handleConnection(socket);
    socket.receive(Buffer.concat([PREFACE, settings()]));
    return socket;
  }

  #serve(request: Uint8Array, costsMs: number, answer: () => void): void {
    this.served.push(Buffer.from(request).toString());
    this.clock.spentMs += costsMs;
    answer();
  }
}

function requests(path: string, who: string, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, n) => unaryRequest(2 * n + 1, path, who)));
}

test("I12, LIMIT turnMs: a connection gets so much time at once, others are served in between, and all is served in the end", () => {
  const trial = new Trial();
  const greedy = trial.connect();
  const modest = trial.connect();
  greedy.receive(requests(SLOW, "greedy", 9));
  // The clock is looked at before every fourth request.
  assert.deepEqual(trial.served, ["greedy", "greedy", "greedy"]);
  assert.equal(greedy.isPaused(), true, "no more is read from it");
  assert.equal(trial.server.counters.turnsEnded, 1);
  assert.equal(trial.server.counters.requestsPostponed, 6);
  modest.receive(requests(QUICK, "modest", 1));
  trial.clock.advance(1);
  assert.deepEqual(trial.served.slice(3), ["modest", "greedy", "greedy", "greedy"]);
  trial.clock.advance(1);
  assert.equal(trial.served.length, 10);
  trial.clock.advance(1);
  assert.equal(greedy.isPaused(), false, "it is read again");
  trial.server.close();
});

test("I12: of many connections that ask for much only a few get a turn before everybody else is served", () => {
  const trial = new Trial();
  const greedy = Array.from({ length: 20 }, () => trial.connect());
  for (const [n, socket] of greedy.entries()) socket.receive(requests(SLOW, `greedy ${n}`, 6));
  const modest = trial.connect();
  let before = trial.served.length;
  for (let round = 0; trial.served.length < 20 * 6 + round; round++) {
    trial.clock.advance(1);
    assert.ok(trial.served.length - before <= 2 * 3, `${trial.served.length - before} requests in one round`);
    modest.receive(unaryRequest(2 * round + 1, QUICK, "modest"));
    assert.equal(trial.served.at(-1), "modest");
    before = trial.served.length;
  }
  const order = trial.served.slice(60).filter((who, at, all) => who !== "modest" && who !== all[at - 1]);
  assert.deepEqual(
    order,
    greedy.map((_, n) => `greedy ${n}`),
    "in the order in which their turns were over",
  );
  trial.server.close();
});

test("I12: a connection that is gone waits for no turn", () => {
  const trial = new Trial();
  const greedy = trial.connect();
  greedy.receive(requests(SLOW, "greedy", 9));
  greedy.destroy();
  trial.server.close();
  trial.clock.advance(100);
  assert.equal(trial.served.length, 3);
  assert.equal(trial.server.streamCount, 0);
});
