/** Logins with wrong passwords, far more than can be checked, from one address or from many. */
import { authService, StatusCode } from "@holdfast/protocol";
import { Client } from "../client.js";
import { nowMs } from "../waiting.js";

const tickMs = 10;

export interface FloodOptions {
  readonly perSecond: number;
  /** Addresses to come from, with one connection each. */
  readonly addresses: readonly string[];
  /** The name to try next. */
  readonly userName: (attempt: number) => string;
}

export class LoginFlood {
  sent = 0;
  /** Answered: the password is wrong. */
  failed = 0;
  /** Answered: too many requests. */
  refused = 0;
  /** Answered otherwise, by what was said. */
  readonly others = new Set<string>();
  readonly #options: FloodOptions;
  readonly #clients: readonly Client[];
  readonly #timer: NodeJS.Timeout;
  readonly #startedMs = nowMs();

  private constructor(options: FloodOptions, clients: readonly Client[]) {
    this.#options = options;
    this.#clients = clients;
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  static async start(endpoint: string, options: FloodOptions): Promise<LoginFlood> {
    const clients = await Promise.all(
      options.addresses.map((localAddress) => Client.connect(endpoint, { localAddress })),
    );
    return new LoginFlood(options, clients);
  }

  get answered(): number {
    return this.failed + this.refused;
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const client of this.#clients) client.destroy();
  }

  /** Sends what is due by now, so that a late tick makes up for itself. */
  #tick(): void {
    const due = ((nowMs() - this.#startedMs) / 1000) * this.#options.perSecond;
    while (this.sent < due) this.#attempt(this.sent++);
  }

  #attempt(number: number): void {
    const client = this.#clients[number % this.#clients.length];
    if (client?.usable !== true) return;
    const login = { name: this.#options.userName(number), password: "a guess" };
    client.call(authService.methods.authenticate, login).then(({ code, message }) => {
      if (code === StatusCode.resourceExhausted) this.refused++;
      else if (code === StatusCode.invalidArgument) this.failed++;
      else this.others.add(`${code} ${message}`);
    });
  }
}
