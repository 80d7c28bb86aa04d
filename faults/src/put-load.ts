/**
 * Writers that put ever higher numbers under keys of their own and keep account of what was acknowledged, so that afterwards
 * it can be told whether anything acknowledged is missing (I1), and whether anything refused took effect.
 */
import { byteStringFromText, kvService, StatusCode } from "@holdfast/protocol";
import { Client } from "./client.js";

export interface PutLoadOptions {
  /** Distinguishes the keys of one load from those of another. */
  readonly name: string;
  readonly writers: number;
  /** How many keys each writer takes turns with. */
  readonly keysPerWriter?: number;
  /** Length of every value. */
  readonly valueBytes?: number;
}

/** What is known of one key. The numbers written to it ascend. */
interface KeyAccount {
  acknowledged: number;
  /** Highest number whose fate is unknown: it and all between may be there. */
  unknown: number;
}

/** Codes after which it is unknown whether a write took effect (fault model, section 4). */
export function isUnknown(code: number): boolean {
  return code === StatusCode.unavailable || code === StatusCode.deadlineExceeded || code === StatusCode.cancelled;
}

export class PutLoad {
  readonly #options: Required<PutLoadOptions>;
  readonly #accounts = new Map<string, KeyAccount>();
  #next = 1;
  #stopped = false;
  #clients: Client[] = [];
  #running: Promise<void>[] = [];
  /** The last refusal, as the clients saw it. */
  refusal: string | undefined;
  acknowledgedCount = 0;
  unknownCount = 0;
  refusedCount = 0;

  constructor(options: PutLoadOptions) {
    this.#options = { keysPerWriter: 8, valueBytes: 64, ...options };
  }

  /** Starts the writers, each on a connection of its own. They end with their connection, or when told to. */
  async start(endpoint: string): Promise<void> {
    this.#stopped = false;
    const { writers } = this.#options;
    this.#clients = await Promise.all(Array.from({ length: writers }, () => Client.connect(endpoint)));
    this.#running = this.#clients.map((client, writer) => this.#write(client, writer));
  }

  /** Resolves when all writers have ended by themselves: their connections are lost, or a write was refused. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Lets calls under way end, and closes the connections. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.ended();
    for (const client of this.#clients) client.destroy();
  }

  /** Resolves when so many more writes have been acknowledged; rejects if the writers end before. */
  async acknowledged(more: number): Promise<void> {
    const wanted = this.acknowledgedCount + more;
    let ended = false;
    const end = this.ended().then(() => {
      ended = true;
    });
    while (this.acknowledgedCount < wanted) {
      if (ended) throw new Error(`the writers ended early: ${this.refusal ?? "connections lost"}`);
      await Promise.race([end, new Promise((resolve) => setTimeout(resolve, 5))]);
    }
  }

  /**
   * What of the load is not as it must be: a key whose number is lower than an acknowledged one, or higher than anything
   * that was sent without being refused.
   */
  async problems(endpoint: string): Promise<string[]> {
    const client = await Client.connect(endpoint);
    const found: string[] = [];
    try {
      for (const [key, account] of this.#accounts) {
        const { kvs } = await client.must(kvService.methods.range, { key: byteStringFromText(key) });
        const value = kvs[0] === undefined ? 0 : Number(Buffer.from(kvs[0].value).toString("latin1").split(" ")[0]);
        const highest = Math.max(account.acknowledged, account.unknown);
        if (value < account.acknowledged) found.push(`${key}: ${account.acknowledged} acknowledged, ${value} is there`);
        else if (value > highest) found.push(`${key}: ${value} is there, which was refused`);
      }
    } finally {
      client.destroy();
    }
    return found;
  }

  async #write(client: Client, writer: number): Promise<void> {
    const { name, keysPerWriter, valueBytes } = this.#options;
    for (let turn = 0; !this.#stopped && client.usable; turn++) {
      const number = this.#next++;
      const key = `${name}/${writer}/${turn % keysPerWriter}`;
      const account = this.#accountOf(key);
      const value = Buffer.from(`${number} `.padEnd(valueBytes, "x"));
      const { code, message, neverProcessed } = await client.call(kvService.methods.put, {
        key: byteStringFromText(key),
        value,
      });
      if (code === StatusCode.ok) {
        account.acknowledged = number;
        this.acknowledgedCount++;
      } else if (isUnknown(code) && !neverProcessed) {
        account.unknown = number;
        this.unknownCount++;
      } else {
        this.refusedCount++;
        this.refusal = message;
        if (!neverProcessed) return;
      }
    }
  }

  #accountOf(key: string): KeyAccount {
    const known = this.#accounts.get(key);
    if (known !== undefined) return known;
    const account = { acknowledged: 0, unknown: 0 };
    this.#accounts.set(key, account);
    return account;
  }
}
