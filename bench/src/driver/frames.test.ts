import assert from "node:assert/strict";
import { test } from "node:test";
import { data, HpackDecoder, message } from "@holdfast/transport/testing";
import { FrameSplitter } from "./frame-splitter.js";
import { MessageReader } from "./message-reader.js";
import { RequestHeads } from "./request-heads.js";

/** Cuts `bytes` into chunks of every size from 1 on, once each. */
function* inChunks(bytes: Buffer): Generator<Buffer[]> {
  for (let size = 1; size <= bytes.length; size++) {
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
    yield chunks;
  }
}

test("frames come out whole, wherever the chunks are cut", () => {
  const frames = ["first", "", "the third"].map((text, at) => data(2 * at + 1, Buffer.from(text)));
  for (const chunks of inChunks(Buffer.concat(frames))) {
    const seen: Buffer[] = [];
    const splitter = new FrameSplitter((chunk, from, to) => seen.push(Buffer.from(chunk.subarray(from, to))));
    for (const chunk of chunks) splitter.take(chunk, chunk.length);
    assert.deepEqual(seen, frames);
  }
});

test("a frame above the size that we allow is refused", () => {
  const splitter = new FrameSplitter(() => {});
  assert.throws(() => splitter.take(data(1, Buffer.alloc(16_385)), 20), /frame of 16385 bytes/);
});

test("messages come out whole, wherever the frames are cut", () => {
  const texts = ["first", "", "x".repeat(300)];
  for (const chunks of inChunks(Buffer.concat(texts.map((text) => message(text))))) {
    const seen: string[] = [];
    const reader = new MessageReader();
    const handler = {
      message: (chunk: Uint8Array, from: number, to: number) =>
        void seen.push(Buffer.from(chunk.subarray(from, to)).toString()),
    };
    for (const chunk of chunks) reader.take(chunk, 0, chunk.length, handler);
    assert.deepEqual(seen, texts);
    assert.ok(!reader.isInside);
  }
});

test("a compressed message is refused", () => {
  assert.throws(() => new MessageReader().take(message("x", 1), 0, 6, { message: () => {} }), /compressed/);
});

test("header blocks mean the same the first, the second and the later times, with other paths between them", () => {
  const heads = new RequestHeads("127.0.0.1:2379", false);
  const decoder = new HpackDecoder({ headerListBytesMax: 4096, fieldsMax: 10 });
  for (const path of ["/a/B", "/a/B", "/c/D", "/a/B", "/c/D", "/a/B", "/c/D"]) {
    const block = heads.block(path);
    const list = decoder.decode(block, 0, block.length);
    assert.equal(list.get(":path"), path);
    assert.equal(list.get(":authority"), "127.0.0.1:2379");
    assert.equal(list.get("te"), "trailers");
  }
  assert.equal(heads.block("/a/B").length, 6);
});
