/**
 * Just enough gRPC to prepare a benchmark and to check its answers: a few messages of the etcd v3 API, encoded and
 * decoded by hand, and unary calls over Node's own HTTP/2 client.
 *
 * It shares no code with Holdfast on purpose: the referee does not use the player's equipment. Not fast, and not meant
 * to be; the load itself comes from h2load.
 */

import http2 from "node:http2";

/** Paths of the methods that the benchmarks call. */
export const methods = {
  put: "/etcdserverpb.KV/Put",
  range: "/etcdserverpb.KV/Range",
  compact: "/etcdserverpb.KV/Compact",
  status: "/etcdserverpb.Maintenance/Status",
};

/** Encodes a protobuf message from `[field number, value]` pairs: numbers as varints, everything else as bytes. */
export function encodeMessage(fields) {
  return Buffer.concat(
    fields.map(([field, value]) => {
      if (typeof value === "number") return Buffer.concat([varint(field * 8), varint(value)]);
      const bytes = Buffer.from(value);
      return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
    }),
  );
}

function varint(value) {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

/**
 * Decodes a protobuf message into a Map from field number to the list of its values: numbers (exact below 2^53) or bytes.
 * @throws Error on a wire type that the etcd API does not use in what is read here.
 */
export function decodeMessage(bytes) {
  const fields = new Map();
  let at = 0;
  function readVarint() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      value += (byte % 128) * scale;
      if (byte < 128) return value;
    }
  }
  while (at < bytes.length) {
    const tag = readVarint();
    const wireType = tag % 8;
    if (wireType !== 0 && wireType !== 2) throw new Error(`unexpected protobuf wire type ${wireType}`);
    let value = readVarint();
    if (wireType === 2) {
      value = bytes.subarray(at, at + value);
      at += value.length;
    }
    const field = Math.floor(tag / 8);
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}

/** A message in the envelope that gRPC puts around it: not compressed, four bytes of length. */
export function envelope(message) {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** One connection to a server of the etcd v3 API. */
export class Client {
  #session;

  constructor(session) {
    this.#session = session;
  }

  /** Connects; rejects when nobody listens. */
  static connect(port) {
    return new Promise((resolve, reject) => {
      const session = http2.connect(`http://127.0.0.1:${port}`);
      session.once("connect", () => resolve(new Client(session)));
      session.on("error", reject);
    });
  }

  /** Makes one unary call; resolves with the encoded answer, rejects when its gRPC status is not OK. */
  call(path, message) {
    return new Promise((resolve, reject) => {
      const stream = this.#session.request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
        te: "trailers",
      });
      const chunks = [];
      let last = {};
      stream.on("response", (headers) => Object.assign(last, headers));
      stream.on("trailers", (trailers) => {
        last = { ...last, ...trailers };
      });
      stream.on("data", (chunk) => chunks.push(chunk));
      stream.on("error", reject);
      stream.on("close", () => {
        if (last["grpc-status"] === "0") resolve(Buffer.concat(chunks).subarray(5));
        else reject(new Error(`${path}: gRPC status ${last["grpc-status"]}: ${last["grpc-message"]}`));
      });
      stream.end(envelope(message));
    });
  }

  /** The server's version as it reports it. */
  async version() {
    return decodeMessage(await this.call(methods.status, encodeMessage([])))
      .get(2)[0]
      .toString();
  }

  /**
   * Reads one key, or with `rangeEnd` counts the keys from `key` to it.
   * @returns the store's revision, the first value, the number of keys, and the length of the encoded answer in bytes.
   */
  async range(key, rangeEnd) {
    const answer = await this.call(
      methods.range,
      encodeMessage(
        rangeEnd === undefined
          ? [[1, key]]
          : [
              [1, key],
              [2, rangeEnd],
              [9, 1],
            ],
      ),
    );
    const fields = decodeMessage(answer);
    const pair = fields.get(2)?.[0];
    return {
      revision: decodeMessage(fields.get(1)[0]).get(3)?.[0] ?? 0,
      value: pair && decodeMessage(pair).get(5)?.[0],
      count: fields.get(4)?.[0] ?? 0,
      answerBytes: answer.length,
    };
  }

  /** Writes one key. */
  async put(key, value) {
    await this.call(methods.put, encodePut(key, value));
  }

  /** Drops the history before `revision`, and waits until it is gone. */
  async compact(revision) {
    await this.call(
      methods.compact,
      encodeMessage([
        [1, revision],
        [2, 1],
      ]),
    );
  }

  close() {
    this.#session.close();
  }
}

/** An encoded PutRequest. */
export function encodePut(key, value) {
  return encodeMessage([
    [1, key],
    [2, value],
  ]);
}

/** An encoded RangeRequest for one key, linearizable. */
export function encodeRange(key) {
  return encodeMessage([[1, key]]);
}
