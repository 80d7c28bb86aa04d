/** Makes a failing input smaller while it goes on failing, so that a person can see what it is about. */

/** No longer than this; the first minutes of shrinking give most of it anyway. */
const shrinkingMsMax = 5_000;

/**
 * The smallest input found for which `fails` still resolves to true, by taking parts out and by setting bytes to zero.
 * `input` itself must fail.
 */
export async function shrink(input: Buffer, fails: (smaller: Buffer) => Promise<boolean>): Promise<Buffer> {
  const untilMs = performance.now() + shrinkingMsMax;
  let best = input;
  for (let part = Math.max(1, best.length >> 1); performance.now() < untilMs; ) {
    const smaller = await withoutOnePart(best, part, untilMs, fails);
    if (smaller !== undefined) best = smaller;
    else if (part === 1) break;
    else part >>= 1;
  }
  return zeroed(best, untilMs, fails);
}

async function withoutOnePart(
  input: Buffer,
  part: number,
  untilMs: number,
  fails: (smaller: Buffer) => Promise<boolean>,
): Promise<Buffer | undefined> {
  for (let at = input.length - part; at >= 0 && performance.now() < untilMs; at -= part) {
    const smaller = Buffer.concat([input.subarray(0, at), input.subarray(at + part)]);
    if (await fails(smaller)) return smaller;
  }
  return undefined;
}

async function zeroed(input: Buffer, untilMs: number, fails: (simpler: Buffer) => Promise<boolean>): Promise<Buffer> {
  let best = input;
  for (let at = 0; at < best.length && performance.now() < untilMs; at++) {
    if (best[at] === 0) continue;
    const simpler = Buffer.from(best);
    simpler[at] = 0;
    if (await fails(simpler)) best = simpler;
  }
  return best;
}
