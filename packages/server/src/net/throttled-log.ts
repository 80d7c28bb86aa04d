/** Log lines that peers can cause at will: one of a kind at a time, with the number of those left out since. */
import type { Logger } from "../logger.js";

interface Kind {
  nextAtMs: number;
  suppressed: number;
}

export class ThrottledLog {
  readonly #logger: Logger;
  readonly #nowMs: () => number;
  readonly #intervalMs: number;
  readonly #kinds = new Map<string, Kind>();

  /** Writes a `message` at most once per `intervalMs`. `nowMs` is a monotonic clock. */
  constructor(logger: Logger, nowMs: () => number, intervalMs: number) {
    this.#logger = logger;
    this.#nowMs = nowMs;
    this.#intervalMs = intervalMs;
  }

  warn(fields: object, message: string): void {
    this.#say("warn", fields, message);
  }

  error(fields: object, message: string): void {
    this.#say("error", fields, message);
  }

  /** `message` is one of a few constants, since each is remembered. */
  #say(level: "warn" | "error", fields: object, message: string): void {
    const nowMs = this.#nowMs();
    const kind = this.#kinds.get(message) ?? { nextAtMs: nowMs, suppressed: 0 };
    this.#kinds.set(message, kind);
    if (nowMs < kind.nextAtMs) {
      kind.suppressed++;
      return;
    }
    this.#logger[level](kind.suppressed === 0 ? fields : { ...fields, suppressed: kind.suppressed }, message);
    kind.suppressed = 0;
    kind.nextAtMs = nowMs + this.#intervalMs;
  }
}
