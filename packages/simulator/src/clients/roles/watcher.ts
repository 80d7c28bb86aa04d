/** Watches in every way that there is, goes on where it was interrupted, and reads slowly at times (I8, F20, F21). */
import { FilterType, type WatchCreateRequest } from "@holdfast/protocol";
import type { Actor } from "../actor.js";
import type { Role } from "../role.js";
import { taggedValue } from "../supplies.js";
import type { WatchCursor } from "../watch-cursor.js";
import { WatchStream } from "../watch-stream.js";

const WATCHES_MAX = 6;
/** Few on purpose: some are in use already (WATCH-3). Not -1, by which answers mean the whole stream. */
const CHOSEN_IDS = [1n, 2n, 3n, -7n, 2n ** 53n + 1n];
/** Nothing for so long although it asks for progress: the connection may be dead without a word. */
const SILENCE_MS_MAX = 12_000;
/** Mean time without reading, and the most: longer than a server may wait for a client to take an answer. */
const SLOW_MS = 4_000;
const SLOW_MS_MAX = 25_000;

export class Watcher implements Role {
  readonly #actor: Actor;
  #stream: WatchStream | undefined = undefined;
  #ids = 100n;

  constructor(actor: Actor) {
    this.#actor = actor;
  }

  async step(): Promise<void> {
    const { random } = this.#actor;
    const stream = await this.#openStream();
    const choice = random.below(100);
    if (stream.cursors.length === 0 || choice < 20) this.#create(stream);
    else if (choice < 50) stream.askProgress();
    else if (choice < 62) stream.cancel(random.pick(stream.cursors));
    else if (choice < 66) this.#createAndCancel(stream);
    else if (choice < 69) stream.cancelId(987_654n);
    else if (choice < 77) stream.close();
    else if (choice < 85) await this.#readSlowly(stream);
    else if (choice < 88) this.#actor.line.drop();
    else if (choice < 95) await this.#write();
    else await this.#actor.party.sleep(random.within(0, 2_000));
    this.#mindSilence(stream);
  }

  async settle(): Promise<void> {
    const { party, scene } = this.#actor;
    for (;;) {
      const stream = await this.#openStream();
      if (stream.cursors.length === 0) stream.create({ ...scene.supplies.allKeys, startRevision: this.#past() });
      stream.askProgress();
      await party.sleep(500);
      this.#mindSilence(stream);
      if (scene.finalRevision !== undefined && this.#caughtUp(stream, scene.finalRevision)) return;
    }
  }

  /** The stream in use, or a new one on which all watches of the old one go on. */
  async #openStream(): Promise<WatchStream> {
    const old = this.#stream;
    if (old?.open === true) return old;
    const stream = new WatchStream(this.#actor, await this.#actor.line.ready());
    this.#stream = stream;
    for (const cursor of old?.orphans ?? []) this.#resume(stream, cursor);
    return stream;
  }

  #resume(stream: WatchStream, cursor: WatchCursor): void {
    const startRevision = cursor.nextRevision;
    // Without a start it would begin now: what came meanwhile would be missed without a word.
    const resumedFrom = startRevision === 0 ? undefined : cursor.seen;
    stream.create({ ...cursor.record.request, startRevision }, resumedFrom);
  }

  #create(stream: WatchStream): void {
    if (stream.cursors.length < WATCHES_MAX) stream.create(this.#request());
  }

  #request(): Partial<WatchCreateRequest> {
    const { random, scene } = this.#actor;
    const filters = [FilterType.NOPUT, FilterType.NODELETE].filter(() => random.chance(0.1));
    return {
      ...(random.chance(0.6) ? scene.supplies.allKeys : scene.supplies.interval(random)),
      startRevision: this.#start(),
      prevKv: random.chance(0.5),
      progressNotify: random.chance(0.3),
      fragment: random.chance(0.5),
      filters,
      watchId: random.chance(0.2) ? random.pick(CHOSEN_IDS) : 0n,
    };
  }

  #start(): number {
    const { random, scene } = this.#actor;
    const choice = random.below(100);
    if (choice < 30) return 0;
    if (choice < 60) return this.#past();
    if (choice < 72) return scene.compactedRevision;
    if (choice < 77) return 1;
    if (choice < 82) return -1;
    return scene.latestRevision + random.between(1, 20);
  }

  #past(): number {
    const { random, scene } = this.#actor;
    return Math.max(1, scene.latestRevision - random.below(25));
  }

  #createAndCancel(stream: WatchStream): void {
    this.#ids++;
    stream.create({ ...this.#request(), watchId: this.#ids });
    stream.cancelId(this.#ids);
  }

  /** Stops reading with much to come, so that history may be compacted away under what the server has not sent (F20). */
  async #readSlowly(stream: WatchStream): Promise<void> {
    const { party, random, scene } = this.#actor;
    const request = { ...scene.supplies.allKeys, startRevision: scene.compactedRevision + 1, prevKv: true };
    while (stream.cursors.length < WATCHES_MAX) stream.create(request);
    // The first answers come in, the rest finds the window closed.
    await party.sleep(random.within(0, 200));
    stream.pause();
    if (random.chance(0.5)) await this.#overtake();
    await party.sleep(Math.min(random.wait(SLOW_MS), SLOW_MS_MAX));
    stream.resume();
  }

  /** Writes more than fits on the way, and compacts it. */
  async #overtake(): Promise<void> {
    const { scene } = this.#actor;
    for (let written = 0; written < 4; written++) await this.#write();
    const revision = scene.latestRevision;
    const fate = await this.#actor.call("compact", () => ({ revision }));
    if (fate.fate === "done") scene.heardCompacted(revision);
  }

  /** Something to see, where nobody else writes. */
  async #write(): Promise<void> {
    const { random, scene } = this.#actor;
    const key = random.pick(scene.supplies.keys);
    await this.#actor.call("put", (tag) => ({ key, value: taggedValue(tag, scene.supplies.valueBytes(random)) }));
  }

  #mindSilence(stream: WatchStream): void {
    const silentMs = this.#actor.party.clock.nowMs() - stream.heardMs;
    if (silentMs > SILENCE_MS_MAX) this.#actor.line.drop();
  }

  /** Whether everything up to `revision` came on all watches that can tell; marks them so. */
  #caughtUp(stream: WatchStream, revision: number): boolean {
    let all = stream.open;
    for (const cursor of stream.cursors) {
      // One that begins later keeps the stream from telling its progress (WATCH-31).
      if (cursor.record.request.startRevision > revision) stream.cancel(cursor);
      if ((cursor.seen ?? 0) < revision) all = false;
    }
    if (!all) return false;
    for (const cursor of stream.cursors) cursor.record.caughtUp = true;
    return true;
  }
}
