/**
 * Prints nanoseconds per header block: node packages/transport/dist/hpack/hpack.bench.js
 *
 * The request blocks are those that h2load 1.52 and Go's HPACK encoder (the one of grpc-go) write for a KV/Put.
 */

import { constantBlock, HeaderBlockWriter, HpackDecoder, HpackEncoder, RepeatedHeaderBlock } from "./index.js";

const ROUNDS = 12;
const LIMITS = { headerListBytesMax: 16 * 1024, fieldsMax: 64 };

const H2LOAD_FIRST = octets(
  "048f60a924882d9dcb6571af9b8b1aed4f86418b089d5c0b8170dc682f019f837a8f9c541c722954d3a5358980aed897",
  "075f8b1d75d0620d263d4c4d656440027465864d833505b11f0f0d023130",
);
const H2LOAD_NEXT = octets("048f60a924882d9dcb6571af9b8b1aed4f86c183c0bfbe0f0d023130");
const GRPC_GO_FIRST = octets(
  "8386458f60a924882d9dcb6571af9b8b1aed4f418a089d5c0b8170dc132ebf5f8b1d75d0620d263d4c4d65647a8a9aca",
  "c8b4c7602bba15c340027465864d833505b11f408d25062d495875996ee5b1063d5f846577170740879c68a0a390b67f834d9697",
);
const GRPC_GO_NEXT = octets("8386c4c3c2c1c0bfbe");
/** The indices are one higher than above, since each new timeout becomes the newest entry of the table. */
const GRPC_GO_TIMEOUT_FIRST = octets("40899acac8b24d494f6a7f8669f7df7c20b7");
const GRPC_GO_TIMEOUT_NEXT = octets("8386c5c4c3c2c1c0bf7e8669f7df7c21b7");

const RESPONSE = { names: [":status", "content-type"], values: ["200", "application/grpc"] };
const TRAILERS = { names: ["grpc-status"], values: ["0"] };
const FAILURE = { names: ["grpc-status", "grpc-message"], values: ["5", "etcdserver: requested lease not found"] };
const REQUEST = {
  names: [":method", ":scheme", ":path", ":authority", "content-type", "user-agent", "te", "grpc-timeout"],
  values: [
    ...["POST", "http", "/etcdserverpb.KV/Put", "127.0.0.1:2379"],
    ...["application/grpc", "holdfast/0.1.0", "trailers", "4999987u"],
  ],
};

function octets(...hex: string[]): Uint8Array {
  return Buffer.from(hex.join(""), "hex");
}

function newDecoder(...blocks: Uint8Array[]): HpackDecoder {
  const decoder = new HpackDecoder(LIMITS);
  for (const block of blocks) decoder.decode(block, 0, block.length);
  return decoder;
}

/** The same block with `count` different values of content-length, so that none is found again in a small memory. */
function variants(block: Uint8Array, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const copy = Uint8Array.from(block);
    copy[copy.length - 2] = 0x30 + Math.floor(i / 10);
    copy[copy.length - 1] = 0x30 + (i % 10);
    return copy;
  });
}

/** Runs `body(times)` repeatedly and prints the fastest round. */
function measure(name: string, times: number, body: (times: number) => void): void {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    body(times);
    best = Math.min(best, Number(process.hrtime.bigint() - start) / times);
  }
  console.log(`${name.padEnd(56)} ${best.toFixed(1).padStart(8)} ns`);
}

function measureDecode(name: string, decoder: HpackDecoder, blocks: readonly Uint8Array[]): void {
  measure(name, 300_000, (times) => {
    for (let i = 0, at = 0; i < times; i++) {
      const block = blocks[at];
      decoder.decode(block, 0, block.length);
      at = at + 1 === blocks.length ? 0 : at + 1;
    }
  });
}

function measureDecoding(): void {
  const h2load = newDecoder(H2LOAD_FIRST);
  const grpcGo = newDecoder(GRPC_GO_FIRST);
  measure("decode h2load, first block of a connection", 50_000, (times) => {
    for (let i = 0; i < times; i++) newDecoder(H2LOAD_FIRST);
  });
  measure("decode grpc-go, first block of a connection", 50_000, (times) => {
    for (let i = 0; i < times; i++) newDecoder(GRPC_GO_FIRST);
  });
  measureDecode("decode h2load, repeated", h2load, [H2LOAD_NEXT]);
  measureDecode("decode h2load, 4 blocks in turn", h2load, variants(H2LOAD_NEXT, 4));
  measureDecode("decode h2load, never repeated", h2load, variants(H2LOAD_NEXT, 90));
  measureDecode("decode grpc-go, repeated", grpcGo, [GRPC_GO_NEXT]);
  const deadlines = newDecoder(GRPC_GO_FIRST, GRPC_GO_TIMEOUT_FIRST);
  measureDecode("decode grpc-go with deadline (changes the table)", deadlines, [GRPC_GO_TIMEOUT_NEXT]);
}

/** Fault-model F31 and F32: 16 KiB of references, of which all but the first few are discarded. */
function measureBomb(): void {
  const block = new Uint8Array(16 * 1024).fill(0x82);
  const decoder = newDecoder();
  measure("decode and refuse a bomb of 16 384 fields", 200, (times) => {
    for (let i = 0; i < times; i++) decoder.decode(block, 0, block.length);
  });
}

function measureEncoding(): void {
  const out = new HeaderBlockWriter();
  const encoder = new HpackEncoder();
  const encode = (name: string, fields: typeof REQUEST): void =>
    measure(name, 300_000, (times) => {
      for (let i = 0; i < times; i++) {
        out.reset();
        encoder.encode(fields, out);
      }
    });
  encode("encode response headers", RESPONSE);
  encode("encode trailers, status 0", TRAILERS);
  encode("encode trailers, status and message", FAILURE);
  encode("encode request with deadline", REQUEST);
  const repeated = new RepeatedHeaderBlock(encoder, RESPONSE);
  measure("RepeatedHeaderBlock, response headers", 3_000_000, (times) => {
    for (let i = 0; i < times; i++) repeated.next();
  });
}

/** What the other end pays for response headers and trailers, never repeating as in a memory-less decoder. */
function measureResponseForms(): void {
  const encoder = new HpackEncoder();
  const forms = [RESPONSE, TRAILERS].map((fields) => new RepeatedHeaderBlock(encoder, fields));
  const first = forms.map((form) => form.next());
  const indexed = forms.map((form) => form.next());
  const constant = [RESPONSE, TRAILERS].map(constantBlock);
  const size = (blocks: Uint8Array[]): number => blocks.reduce((sum, block) => sum + block.length, 0);
  console.log(`response headers and trailers: constant ${size(constant)} octets, repeated ${size(indexed)} octets`);
  measureDecode("decode constant response blocks, repeated", newDecoder(), constant);
  measureDecode("decode indexed response blocks, repeated", newDecoder(...first), indexed);
}

measureDecoding();
measureBomb();
measureEncoding();
measureResponseForms();
