/** The fuzzers' own machinery: that an input can be made again, is made smaller, and that what is wrong is found. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { messageCodecs } from "@holdfast/protocol";
import { FuzzFailure, fuzz } from "./fuzz.js";
import type { FuzzTarget } from "./fuzz-target.js";
import { damagedFiles, damageProgram, provenIndex } from "./log-damage.js";
import { buildLogImages, logFolder } from "./log-images.js";
import { mutate } from "./mutate.js";
import { pieces } from "./pieces.js";
import { Random } from "./random.js";
import { shrink } from "./shrink.js";
import { validMessage } from "./wire-message.js";

/** Fails for every input in which a byte is above 250. */
class Fragile implements FuzzTarget {
  readonly name = "fragile";
  readonly seen: string[] = [];

  generate(random: Random): Buffer {
    return random.bytes(40);
  }

  run(input: Buffer): void {
    this.seen.push(input.toString("hex"));
    if (input.some((byte) => byte > 250)) throw new Error("broken");
  }
}

async function failureOf(target: FuzzTarget, seed: number): Promise<FuzzFailure> {
  try {
    await fuzz(target, { seed, seconds: 5 });
  } catch (error) {
    assert.ok(error instanceof FuzzFailure, String(error));
    return error;
  }
  throw new Error("nothing was found");
}

test("a failure is found, made smaller, and names the seed that makes the same input first", async () => {
  const first = new Fragile();
  const { message } = await failureOf(first, 1);
  const [, seed, hex] = /seed (\d+), input of 40 bytes, made smaller: (\w+)\n/.exec(message) ?? [];
  assert.equal(hex?.length, 2, "one byte is enough");
  assert.match(message, /--only "fragile:" --seed/);
  const again = new Fragile();
  await failureOf(again, Number(seed));
  assert.equal(again.seen[0], first.seen[Number(seed) - 1]);
});

test("an input that always takes too long is a failure", async () => {
  const slow: FuzzTarget = {
    name: "slow",
    generate: () => Buffer.alloc(1),
    run: () => {
      for (const startMs = performance.now(); performance.now() - startMs < 120; );
    },
  };
  assert.match((await failureOf(slow, 1)).message, /it takes \d+ ms, every time/);
});

test("what is wrong at the end is a failure too", async () => {
  const leaking: FuzzTarget = {
    name: "leaking",
    generate: () => Buffer.alloc(0),
    run: () => {},
    check: () => {
      throw new Error("left behind: 3");
    },
  };
  await assert.rejects(fuzz(leaking, { seed: 1, seconds: 0 }), /left behind/);
});

test("the same seed gives the same numbers, mutations and messages; the next seed others", () => {
  const codec = [...messageCodecs.values()][5];
  assert.ok(codec);
  const make = (seed: number): string => {
    const random = new Random(seed);
    return [random.bytes(20), mutate(Buffer.from("some text"), random), validMessage(codec, random)].join();
  };
  assert.equal(make(7), make(7));
  assert.notEqual(make(7), make(8));
});

test("valid messages of every type are valid", () => {
  for (const codec of messageCodecs.values()) {
    for (let seed = 0; seed < 50; seed++) codec.decode(validMessage(codec, new Random(seed)));
  }
});

test("shrinking keeps what is needed", async () => {
  const input = Buffer.from("xxxxAxxxxxxxxxxBxxxx");
  const smallest = await shrink(input, async (smaller) => smaller.includes("A") && smaller.includes("B"));
  assert.equal(smallest.toString(), "AB");
});

test("pieces are the whole", () => {
  const bytes = new Random(3).bytes(5_000);
  for (let cuts = 0; cuts < 100; cuts++) assert.ok(Buffer.concat(pieces(bytes, cuts)).equals(bytes));
  assert.ok(pieces(bytes, 1).length > 1);
});

test("the oracle of damaged logs reads what an undamaged one proves", async () => {
  const images = await buildLogImages();
  for (const image of images) {
    const owner = image.files.get(`${logFolder}/owner`);
    // Nothing behind the last record proves that it was durable, but for a note, and that of a close is one.
    assert.equal(provenIndex(image.files) === image.lastIndex, hasNote(owner, image.lastIndex));
    assert.ok(owner?.readUInt8(noteAt + 40) !== 1 || hasNote(owner, image.lastIndex));
    assert.ok(provenIndex(image.files) >= image.lastIndex - 1);
  }
  assert.deepEqual(provenIndex(new Map()), 0);
});

test("damage is the same for the same program, and leaves the image as it was", async () => {
  const images = await buildLogImages();
  const foreign = images.at(-1)?.files ?? new Map<string, Buffer>();
  const sums = (files: ReadonlyMap<string, Buffer>): string =>
    [...files].map(([path, bytes]) => `${path} ${crc32(bytes)}`).join();
  for (let seed = 0; seed < 300; seed++) {
    const program = damageProgram(new Random(seed), images.length);
    const image = images[program[0] ?? 0];
    assert.ok(image);
    const before = sums(image.files);
    assert.equal(sums(damagedFiles(image, program, foreign).files), sums(damagedFiles(image, program, foreign).files));
    assert.equal(sums(image.files), before);
  }
});

const noteAt = 64;

function hasNote(owner: Buffer | undefined, index: number): boolean {
  return owner !== undefined && Number(owner.readBigUInt64LE(noteAt + 32)) === index;
}
