// Measures the codec and, beside it, protobufjs: `npm run measure -w @holdfast/protocol` (build first).
// Prints the best of several rounds in nanoseconds per call, as one line of a Markdown table each.

import { join } from "node:path";
import { hrtime, version } from "node:process";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import * as protocol from "../dist/index.js";

const rounds = 9;
const callsPerRound = 400_000;

/** Results are kept for a while, so that they are not optimised away and the garbage collector has its usual work. */
const kept = new Array(256);

function nanosecondsPerCall(call) {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round <= rounds; round++) {
    const start = hrtime.bigint();
    for (let index = 0; index < callsPerRound; index++) kept[index & 255] = call(index);
    const nanoseconds = Number(hrtime.bigint() - start) / callsPerRound;
    if (round > 0 && nanoseconds < best) best = nanoseconds;
  }
  return best;
}

function report(name, call) {
  console.log(`| ${name} | ${Math.round(nanosecondsPerCall(call))} |`);
}

const messageCount = 200;
const value = new Uint8Array(128).fill(7);
const keyAt = (index) => protocol.byteStringFromText(String(index).padStart(16, "k"));

/** Encodings of `messageCount` messages as views into one buffer, the way a receive buffer holds them. */
function receiveBuffer(encode) {
  const encodings = Array.from({ length: messageCount }, (_, index) => encode(index));
  const whole = Buffer.concat(encodings);
  let end = 0;
  return encodings.map(({ length }) => {
    end += length;
    return whole.subarray(end - length, end);
  });
}

const putRequests = receiveBuffer((index) =>
  protocol.encodePutRequest(protocol.createPutRequest({ key: keyAt(index), value })),
);
const rangeRequests = receiveBuffer((index) =>
  protocol.encodeRangeRequest(protocol.createRangeRequest({ key: keyAt(index) })),
);
const keepAlives = receiveBuffer((index) =>
  protocol.encodeLeaseKeepAliveRequest({ id: 7587869134456789012n + BigInt(index) }),
);
const header = protocol.createResponseHeader({
  clusterId: 0xcdf818194e3a8c32n,
  memberId: 0x8e9e05c52164694dn,
  revision: 123456,
  raftTerm: 7,
});
const kv = protocol.createKeyValue({ key: keyAt(1), createRevision: 1000, modRevision: 100000, version: 5, value });
const rangeResponse = protocol.createRangeResponse({ header, kvs: [kv], count: 1 });
const putResponse = protocol.createPutResponse({ header });
const writer = new protocol.Writer();

function measureOwn() {
  report("decode PutRequest", (index) => protocol.decodePutRequest(putRequests[index % messageCount]));
  report("decode RangeRequest", (index) => protocol.decodeRangeRequest(rangeRequests[index % messageCount]));
  report("decode LeaseKeepAliveRequest", (index) =>
    protocol.decodeLeaseKeepAliveRequest(keepAlives[index % messageCount]),
  );
  report("encode RangeResponse, shared buffer", () => protocol.encodeSharedRangeResponse(rangeResponse));
  report("encode RangeResponse, bytes of its own", () => protocol.encodeRangeResponse(rangeResponse));
  report("encode PutResponse, shared buffer", () => protocol.encodeSharedPutResponse(putResponse));
  report("write PutResponse into a writer", () => {
    writer.reset();
    protocol.writePutResponse(writer, putResponse);
    return writer.length;
  });
}

function measureProtobufjs() {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => join(fileURLToPath(new URL("../proto", import.meta.url)), target);
  root.loadSync("etcdserverpb/rpc.proto", { keepCase: true });
  const request = root.lookupType("etcdserverpb.PutRequest");
  const response = root.lookupType("etcdserverpb.RangeResponse");
  const message = response.decode(Buffer.from(protocol.encodeRangeResponse(rangeResponse)));
  report("protobufjs: decode PutRequest (key and value are views)", (index) =>
    request.decode(putRequests[index % messageCount]),
  );
  report("protobufjs: encode RangeResponse, bytes of its own", () => response.encode(message).finish());
}

console.log(`| Node.js ${version} | ns |`);
console.log("|---|---|");
measureOwn();
measureProtobufjs();
