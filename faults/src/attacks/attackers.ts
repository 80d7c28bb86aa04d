/** Attackers that come back as often as they are thrown out, until the time is up. */
import assert from "node:assert/strict";
import type { ScenarioContext } from "../scenario.js";
import { nowMs } from "../waiting.js";
import type { Arena, Attack } from "./arena.js";
import type { RawClient, Target } from "./raw-client.js";

/** What one attacking connection does: sends until it is closed or `attack.over`. */
export type Offence = (client: RawClient, attack: Attack) => Promise<void>;

/** How long the server may take to close a connection that has gone too far (F40: one second after the GOAWAY). */
const CLOSE_MS_MAX = 3_000;

/** Who began so shortly before the end cannot be expected to have been noticed, however fast others were. */
const JUST_BEGUN_MS = 500;

/** One attacking connection that is over. */
export interface Attempt {
  readonly client: RawClient;
  /** How long it attacked: until it was thrown out, or until the time was up. */
  readonly attackedMs: number;
}

export interface Endings {
  /** Connections that the server closed. */
  readonly ended: readonly RawClient[];
  /** Connections that were still open when the time was up, and then closed by the attacker. */
  readonly open: readonly RawClient[];
  /** Those of `open` that had time enough to be thrown out. */
  readonly survivors: readonly RawClient[];
}

/** `attackers` at a time commit the offence, over and over. */
export async function attackRepeatedly(
  arena: Arena,
  attack: Attack,
  attackers: number,
  offence: Offence,
  how: Partial<Target> = {},
): Promise<Endings> {
  const ended: Attempt[] = [];
  const open: Attempt[] = [];
  const one = async (): Promise<void> => {
    while (!attack.over) {
      const client = await arena.connect(true, { ...arena.target, ...how });
      const begunMs = nowMs();
      await offence(client, attack);
      const attackedMs = nowMs() - begunMs;
      const isCutShort = attack.over && client.goaway === undefined;
      if (await client.closedWithin(isCutShort ? CLOSE_MS_MAX / 3 : CLOSE_MS_MAX)) ended.push({ client, attackedMs });
      else open.push({ client, attackedMs: isCutShort ? attackedMs : Number.POSITIVE_INFINITY });
      client.destroy();
    }
  };
  await Promise.all(Array.from({ length: attackers }, one));
  return endingsOf(ended, open);
}

/** Tells who of the `open` had at least as much time as any other needed to be thrown out. */
export function endingsOf(ended: readonly Attempt[], open: readonly Attempt[]): Endings {
  const neededMs = ended.reduce((longest, { attackedMs }) => Math.max(longest, attackedMs), JUST_BEGUN_MS);
  const clients = (attempts: readonly Attempt[]): RawClient[] => attempts.map(({ client }) => client);
  const survivors = clients(open.filter(({ attackedMs }) => attackedMs > neededMs));
  return { ended: clients(ended), open: clients(open), survivors };
}

/** Sends what `next` makes, again and again. */
export function flood(opening: Uint8Array, next: (round: number) => Uint8Array): Offence {
  return async (client, attack) => {
    await client.send(opening);
    for (let round = 0; !client.isClosed && !attack.over && client.goaway === undefined; round++) {
      await client.send(next(round));
      // Without a turn of the loop between, no answer would ever be seen.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
}

/** Asserts that the server threw out every attacker, with this error if it still was heard, and notes what it took. */
export function assertThrownOut(
  context: ScenarioContext,
  { ended, survivors }: Endings,
  code: number,
  reason?: RegExp,
): void {
  assert.ok(ended.length > 0, "no attacker was thrown out");
  assert.equal(survivors.length, 0, `${survivors.length} attackers were not thrown out, ${ended.length} were`);
  const heard = ended.flatMap(({ goaway }) => (goaway === undefined ? [] : [goaway]));
  assert.ok(heard.length > 0, "nobody was told why");
  for (const goaway of heard) {
    assert.equal(goaway.code, code, `GOAWAY with ${goaway.code} ${goaway.reason}`);
    if (reason !== undefined) assert.match(goaway.reason, reason);
  }
  const bytes = ended.map(({ bytesSent }) => bytesSent).sort((a, b) => a - b);
  context.note(
    `${ended.length} connections thrown out (${heard.length} heard why: ${heard[0]?.reason}), ` +
      `after ${bytes[Math.floor(bytes.length / 2)]} bytes (median), ${bytes.at(-1)} at most`,
  );
}
