import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../testing/seeded.js";
import type { DiskFile } from "./disk.js";
import { FileWindow } from "./file-window.js";

const operation = "segment.read";

/** A file whose reads are short at will, and fail behind `failsFrom`. */
class FakeFile {
  readonly contents: Buffer;
  reading = 0;
  failsFrom = Number.POSITIVE_INFINITY;
  readonly #shortBytes: () => number;

  constructor(bytes: number, shortBytes: () => number = () => Number.POSITIVE_INFINITY) {
    this.contents = Buffer.from(Array.from({ length: bytes }, (_, at) => (at * 31 + (at >> 8)) & 0xff));
    this.#shortBytes = shortBytes;
  }

  async read(_operation: string, target: Buffer, length: number, position: number): Promise<number> {
    this.reading += 1;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.reading -= 1;
    if (position >= this.failsFrom) throw new Error("unreadable");
    const count = Math.min(length, this.#shortBytes());
    return this.contents.copy(target, 0, position, Math.min(position + count, this.failsFrom));
  }

  asDiskFile(): DiskFile {
    return this as unknown as DiskFile;
  }
}

test("a window that moves along a file shows it byte by byte, whatever the steps, slices and short reads", async () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const upTo = (limit: number): number => 1 + Math.floor(random() * limit);
    const file = new FakeFile(upTo(400_000), () => upTo(100_000));
    const fileBytes = file.contents.length;
    const window = new FileWindow({ file: file.asDiskFile(), operation, fileBytes, sliceBytes: upTo(80_000) });
    for (let at = upTo(1000) - 1; at < fileBytes; ) {
      const length = Math.min(upTo(random() < 0.1 ? 200_000 : 5_000), fileBytes - at);
      if (!window.holds(at, length)) await window.move(at, length);
      const start = window.offsetOf(at);
      assert.ok(
        window.bytes.subarray(start, start + length).equals(file.contents.subarray(at, at + length)),
        `${seed}`,
      );
      at += random() < 0.3 ? Math.ceil(length / 2) : length;
    }
    await window.settle();
    assert.equal(file.reading, 0);
  }
});

test("a file that is shorter than it should be ends the window early", async () => {
  const file = new FakeFile(3000);
  const window = new FileWindow({ file: file.asDiskFile(), operation, fileBytes: 9000, sliceBytes: 1024 });
  for (let at = 0; at < 3000; at += 1000) await window.move(at, 1000);
  await window.move(3000, 1000);
  assert.equal(window.bytes.length, 0);
  await window.settle();
});

test("what cannot be read is told to whoever wants it, not before; a single place costs a single read", async () => {
  const file = new FakeFile(10_000);
  file.failsFrom = 3072;
  const window = new FileWindow({ file: file.asDiskFile(), operation, fileBytes: 10_000, sliceBytes: 1024 });
  await window.move(0, 10);
  assert.equal(file.reading, 0);
  await window.move(1024, 10);
  await window.move(2048, 1024);
  await assert.rejects(window.move(3072, 1), /unreadable/);
  const other = new FileWindow({ file: file.asDiskFile(), operation, fileBytes: 10_000, sliceBytes: 1024 });
  for (const at of [0, 1024, 2048]) await other.move(at, 10);
  await other.settle();
  assert.equal(file.reading, 0);
});
