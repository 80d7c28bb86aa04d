/** Scenarios in which one kind of offence is committed over and over, and each attacker must be thrown out for it. */
import type { Scenario } from "../scenario.js";
import { Arena, type ArenaOptions } from "./arena.js";
import { assertThrownOut, attackRepeatedly, type Offence } from "./attackers.js";

const ATTACKERS = 4;
const SECONDS_MAX = 60;

export interface ThrownOut {
  readonly offence: Offence;
  /** Error code of the GOAWAY. */
  readonly code: number;
  /** Its text. */
  readonly reason?: RegExp;
  /** The metric that counts those who reach the limit. A scenario that has a limit in its title must have it. */
  readonly counter?: string;
  readonly arena?: ArenaOptions;
}

/** A scenario whose attackers are all thrown out. @throws Error if it is named after a limit and nothing tells that it is reached. */
export function thrownOut(title: string, { offence, code, reason, counter, arena: options }: ThrownOut): Scenario {
  if (title.includes("LIMIT ") && counter === undefined) throw new Error(`no counter shows the limit of "${title}"`);
  return {
    title,
    secondsMax: SECONDS_MAX,
    run: async (context) => {
      const arena = await Arena.open(context, options);
      await arena.attack(async (attack) => {
        assertThrownOut(context, await attackRepeatedly(arena, attack, ATTACKERS, offence), code, reason);
      });
      if (counter !== undefined) arena.assertReached(counter);
    },
  };
}

/** `count` times what `make` makes of 0, 1, 2 …, as one run of bytes. */
export function many(count: number, make: (n: number) => Uint8Array): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, n) => make(n)));
}

/** The stream id of the `n`th request of a connection. */
export function streamId(n: number): number {
  return 2 * n + 1;
}
