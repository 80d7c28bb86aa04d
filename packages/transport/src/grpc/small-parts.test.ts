import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ManualClock } from "../testing/manual-clock.js";
import { type Deadline, DeadlineWheel } from "./deadline-wheel.js";
import { encodeMetadataValue, HeaderMetadata, isBinaryValue } from "./metadata.js";
import { percentDecode, percentEncode } from "./percent-encoding.js";
import { Router } from "./router.js";
import { formatTimeout, parseTimeout, TimeoutError } from "./timeout.js";

test("grpc-message: any text survives, and only printable ASCII is on the wire", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const encoded = percentEncode(text);
      assert.match(encoded, /^[ -~]*$/);
      assert.equal(percentDecode(encoded), text);
    }),
  );
});

test("grpc-message: the characters that must be escaped", () => {
  assert.equal(percentEncode("100%\n"), "100%25%0A");
  assert.equal(percentEncode("Grüße"), "Gr%C3%BC%C3%9Fe");
  assert.equal(percentEncode("etcdserver: key is not provided"), "etcdserver: key is not provided");
  assert.equal(percentEncode("\ud800"), "%EF%BF%BD");
  assert.equal(percentDecode("50% %zz %"), "50% %zz %");
});

test("grpc-timeout: every unit", () => {
  const cases: [string, number][] = [
    ["1H", 3_600_000],
    ["2M", 120_000],
    ["3S", 3_000],
    ["4m", 4],
    ["5000u", 5],
    ["1u", 1],
    ["1n", 1],
    ["0n", 0],
    ["99999999H", 99_999_999 * 3_600_000],
  ];
  for (const [text, ms] of cases) assert.equal(parseTimeout(text), ms, text);
});

test("grpc-timeout: malformed ones are refused in grpc-go's words", () => {
  const cases: [string, string][] = [
    ["", 'transport: timeout string is too short: ""'],
    ["S", 'transport: timeout string is too short: "S"'],
    ["123456789S", 'transport: timeout string is too long: "123456789S"'],
    ["10x", 'transport: timeout unit is not recognized: "10x"'],
    ["-1S", 'strconv.ParseUint: parsing "-1": invalid syntax'],
    ["1.5S", 'strconv.ParseUint: parsing "1.5": invalid syntax'],
  ];
  for (const [text, message] of cases) assert.throws(() => parseTimeout(text), new TimeoutError(message), text);
});

test("grpc-timeout: what we send is never shorter than what was asked", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e13, noNaN: true }), (ms) => {
      assert.ok(parseTimeout(formatTimeout(ms)) >= ms);
    }),
  );
});

test("metadata: -bin values are bytes, several may share a line, protocol fields are hidden", () => {
  const raw = "\x00\xff\x7f binary";
  const metadata = new HeaderMetadata({
    names: [":path", ":authority", "te", "grpc-timeout", "a", "a", "b-bin", "b-bin", "user-agent"],
    values: [
      "/x",
      "host",
      "trailers",
      "1S",
      "1",
      "2",
      encodeMetadataValue("b-bin", raw),
      `${encodeMetadataValue("b-bin", "x")},eQ==`,
      "u",
    ],
  });
  assert.equal(metadata.get("a"), "1");
  assert.deepEqual(metadata.getAll("a"), ["1", "2"]);
  assert.equal(metadata.get("b-bin"), raw);
  assert.deepEqual(metadata.getAll("b-bin"), [raw, "x", "y"]);
  assert.equal(metadata.get(":path"), undefined);
  assert.equal(metadata.get("te"), undefined);
  assert.equal(metadata.get(":authority"), "host");
  assert.equal(metadata.get("none"), undefined);
  assert.deepEqual(
    [...metadata.entries()].map(([name]) => name),
    [":authority", "a", "a", "b-bin", "b-bin", "b-bin", "user-agent"],
  );
  // Whatever was asked for before.
  for (const key of ["a", "te", "b-bin", "a", "a", "nothing", "nothing"]) {
    assert.equal(metadata.get(key), metadata.getAll(key)[0]);
  }
});

test("metadata: what is base64 and what is not", () => {
  for (const good of ["", "eA", "eA==", "eHg", "eHh4", "eA,eA=="]) assert.equal(isBinaryValue(good), true, good);
  for (const bad of ["e", "e!", "eA=A", "====="]) assert.equal(isBinaryValue(bad), false, bad);
});

test("deadlines pass in time, never early, and removed ones not at all", () => {
  const step = fc.record({ inMs: fc.integer({ min: 0, max: 30_000 }), removed: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 15_000 })),
      (deadlines, steps) => {
        const clock = new ManualClock();
        const wheel = new DeadlineWheel(clock);
        const passed = new Map<number, number>();
        const set: Deadline[] = deadlines.map(({ inMs }, n) =>
          wheel.add(clock.nowMs() + inMs, { expired: () => passed.set(n, clock.nowMs()) }),
        );
        const startMs = clock.nowMs();
        for (const [n, { removed }] of deadlines.entries()) if (removed) wheel.remove(set[n]);
        for (const ms of [...steps, 40_000]) clock.advance(ms);
        deadlines.forEach(({ inMs, removed }, n) => {
          const atMs = passed.get(n);
          if (removed) assert.equal(atMs, undefined);
          else
            assert.ok(atMs !== undefined && atMs - startMs >= inMs && atMs - startMs <= inMs + 20, `${atMs} ${inMs}`);
        });
        assert.equal(wheel.size, 0);
        assert.equal(clock.timerCount, 0);
      },
    ),
  );
});

test("a deadline that comes due after a stall of the loop still passes, once", () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  let passed = 0;
  for (let i = 0; i < 100; i++) wheel.add(clock.nowMs() + i * 700, { expired: () => passed++ });
  clock.stall(3_600_000);
  assert.equal(passed, 100);
});

test("routes are exact, and their refusals are grpc-go's", () => {
  const echo = { kind: "unary", path: "/a.B/C", handle: () => {} } as const;
  const router = new Router([echo]);
  assert.equal(router.find("/a.B/C")?.method, echo);
  for (const path of ["/a.B/c", "/a.B/C/", "a.B/C", "//a.B/C", "/a.B/C?x"]) assert.equal(router.find(path), undefined);
  assert.equal(router.refusal("/x.Y/Z").message, "unknown service x.Y");
  assert.equal(router.refusal("/a.B/Z").message, "unknown method Z for service a.B");
  assert.equal(router.refusal("a.B/C").message, 'malformed method name: "a.B/C"');
  assert.equal(router.refusal("/C").message, 'malformed method name: "/C"');
  assert.throws(() => new Router([echo, echo]), RangeError);
});
