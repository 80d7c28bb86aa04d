/** etcd-v3-wire.md 4.7. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlainRequest } from "@holdfast/transport";
import { type CallHead, noTimeout, readCallHead } from "./call-head.js";

function head(headers: [string, string][], fields: Partial<PlainRequest> = {}): CallHead {
  const read = readCallHead({
    headers,
    peer: { address: "10.0.0.9", port: 1 },
    authority: "me:1",
    ...fields,
  } as PlainRequest);
  assert.ok("metadata" in read, JSON.stringify(read));
  return read;
}

function metadataOf(headers: [string, string][], fields: Partial<PlainRequest> = {}): [string, string][] {
  return [...head(headers, fields).metadata.entries()];
}

const forwarded: [string, string][] = [
  ["x-forwarded-host", "me:1"],
  ["x-forwarded-for", "10.0.0.9"],
];

test("the authorization header becomes metadata under two names, Grpc-Metadata-* under its own", () => {
  const headers: [string, string][] = [
    ["authorization", "Bearer t"],
    ["grpc-metadata-token", "a"],
    ["grpc-metadata-token", "b"],
    ["grpc-metadata-hasleader", "true"],
  ];
  assert.deepEqual(metadataOf(headers), [
    ["authorization", "Bearer t"],
    ["grpcgateway-authorization", "Bearer t"],
    ["token", "a"],
    ["token", "b"],
    ["hasleader", "true"],
    ...forwarded,
  ]);
  const { metadata } = head(headers);
  assert.deepEqual(
    [metadata.get("token"), metadata.getAll("token"), metadata.get("none")],
    ["a", ["a", "b"], undefined],
  );
});

test("well-known headers are marked as the gateway's; others do not pass", () => {
  const headers: [string, string][] = [
    ["accept", "*/*"],
    ["user-agent", "curl"],
    ["x-mine", "1"],
    ["token", "t"],
    ["connection", "close"],
  ];
  assert.deepEqual(metadataOf(headers), [
    ["grpcgateway-accept", "*/*"],
    ["grpcgateway-user-agent", "curl"],
    ...forwarded,
  ]);
});

test("values that gRPC cannot carry are left out", () => {
  const headers: [string, string][] = [
    ["grpc-metadata-a", "\u00e9"],
    ["grpc-metadata-", "x"],
    ["grpc-metadata-b c", "x"],
    ["user-agent", "\t"],
  ];
  assert.deepEqual(metadataOf(headers), forwarded);
});

test("binary metadata is decoded, and refused if it is no base64", () => {
  assert.deepEqual(metadataOf([["grpc-metadata-x-bin", "/+4="]])[0], ["x-bin", "\u00ff\u00ee"]);
  assert.deepEqual(metadataOf([["grpc-metadata-x-bin", "/+4"]])[0], ["x-bin", "\u00ff\u00ee"]);
  for (const text of ["!!", "A", "AQI=="]) {
    const refused = readCallHead({
      headers: [["grpc-metadata-foo-bin", text]],
      peer: { address: "", port: 0 },
    } as unknown as PlainRequest);
    const message = "invalid binary header Grpc-Metadata-Foo-Bin: illegal base64 data";
    assert.deepEqual(refused, { code: 3, message }, text);
  }
});

test("who asked, and for which host, is passed on behind what proxies said", () => {
  const proxied: [string, string][] = [
    ["x-forwarded-for", "1.1.1.1"],
    ["x-forwarded-host", "public.example"],
  ];
  assert.deepEqual(metadataOf(proxied), [
    ["x-forwarded-host", "public.example"],
    ["x-forwarded-for", "1.1.1.1, 10.0.0.9"],
  ]);
  assert.deepEqual(metadataOf([], { peer: { address: "", port: 0 }, authority: undefined }), []);
});

test("Grpc-Timeout has a sign, any number of digits and a unit; 0 is none; as etcd", () => {
  const good: [string, number][] = [
    ["5S", 5_000],
    ["+5M", 300_000],
    ["1H", 3_600_000],
    ["20m", 20],
    ["1500u", 1.5],
    ["0S", noTimeout],
    ["", noTimeout],
    ["-1S", 0],
    ["999999999999S", 999_999_999_999_000],
  ];
  for (const [text, timeoutMs] of good) assert.equal(head([["grpc-timeout", text]]).timeoutMs, timeoutMs, text);
  assert.equal(head([]).timeoutMs, noTimeout);
  for (const text of ["x", "5s", "5", "S", "1.5S", " 5S"]) {
    const refused = readCallHead({
      headers: [["grpc-timeout", text]],
      peer: { address: "", port: 0 },
    } as unknown as PlainRequest);
    assert.deepEqual(refused, { code: 3, message: `invalid grpc-timeout: ${text}` });
  }
});
