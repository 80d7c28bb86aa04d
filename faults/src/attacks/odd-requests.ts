/** Requests that no honest client makes, and other protocols (F42). */
import assert from "node:assert/strict";
import type { Scenario } from "../scenario.js";
import { Arena } from "./arena.js";
import { Code, data, type Fields, Flag, greeting, headers, message, requestFields, Type } from "./frames.js";
import { RANGE, rangeOfNothing } from "./paths.js";
import type { RawClient } from "./raw-client.js";

/** The fields of an honest request, with one replaced; without a value it is left out. */
function replaced(name: string, value?: string): Fields {
  const fields = requestFields(RANGE);
  if (value === undefined) return fields.filter(([known]) => known !== name);
  return fields.map(([known, old]) => [known, known === name ? value : old] as const);
}

const long = "x".repeat(3_000);

/** Every one must be answered, reset, or end the connection. */
const requests: Readonly<Record<string, Fields>> = {
  "a path without leading slash": replaced(":path", RANGE.slice(1)),
  "an empty path": replaced(":path", ""),
  "a path that goes up": replaced(":path", "/../../etcdserverpb.KV/Range"),
  "a path with escapes": replaced(":path", "/etcdserverpb.KV%2FRange"),
  "a path in other letters": replaced(":path", RANGE.toUpperCase()),
  "a path of prototypes": replaced(":path", "/__proto__/constructor"),
  "a long path": replaced(":path", `/${long}`),
  "method GET": replaced(":method", "GET"),
  "method CONNECT": replaced(":method", "CONNECT"),
  "a method of nonsense": replaced(":method", "\u0001\u0002"),
  "no method": replaced(":method"),
  "no scheme": replaced(":scheme"),
  "no authority": replaced(":authority"),
  "no te": replaced("te"),
  "another te": replaced("te", "gzip"),
  "no content type": replaced("content-type"),
  "another content type": replaced("content-type", "text/html"),
  "a content type that is almost right": replaced("content-type", "application/grpcx"),
  "method twice": [[":method", "POST"], ...requestFields(RANGE)],
  "a pseudo-header of its own": [[":secret", "x"], ...requestFields(RANGE)],
  "a pseudo-header behind others": [...requestFields(RANGE), [":path", "/other"]],
  "a protocol nobody handles": [[":protocol", "websocket"], ...replaced(":method", "CONNECT")],
  "upper case names": requestFields(RANGE, [["X-Upper", "x"]]),
  "a connection header": requestFields(RANGE, [["connection", "upgrade"]]),
  "a name with a line break": requestFields(RANGE, [["x\r\ny", "x"]]),
  "a value with a NUL": requestFields(RANGE, [["x", "a\0b"]]),
  "an empty name": requestFields(RANGE, [["", "x"]]),
  "a timeout of nonsense": requestFields(RANGE, [["grpc-timeout", "soon"]]),
  "a timeout of ages": requestFields(RANGE, [["grpc-timeout", "99999999999H"]]),
  "a timeout of nothing": requestFields(RANGE, [["grpc-timeout", "0n"]]),
  "an unknown encoding": requestFields(RANGE, [["grpc-encoding", "brotli"]]),
  "a content length that lies": requestFields(RANGE, [["content-length", "99999999999999999999"]]),
  "a negative content length": requestFields(RANGE, [["content-length", "-1"]]),
  "metadata that is no base64": requestFields(RANGE, [["x-bin", "***"]]),
};

/** What is not HTTP/2 at all, and what must come back: nothing, or an HTTP answer. */
const protocols: Readonly<Record<string, string>> = {
  "HTTP/1.1 to a path of gRPC": `POST ${RANGE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/grpc\r\nContent-Length: 0\r\n\r\n`,
  "an upgrade to h2c":
    "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
  "an upgrade to nonsense": "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: nonsense/9\r\n\r\n",
  "HTTP/1.1 without a host": "GET / HTTP/1.1\r\n\r\n",
  "HTTP/0.9": "GET /\r\n\r\n",
  "two lengths": "POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n{}",
  "a length and chunks":
    "POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "a chunk of nonsense": "POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  "the greeting of TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "the greeting of SSH": "SSH-2.0-OpenSSH_9.6\r\n",
  "a command of Redis": "*1\r\n$4\r\nPING\r\n",
  "a preface with a wrong letter": "PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n",
};

const ANSWER_MS_MAX = 5_000;

/** Whether the server has answered, reset or ended it by now. */
function isDealtWith(client: RawClient): boolean {
  return client.isClosed || client.goaway !== undefined || client.count(Type.headers) > 0 || client.resets.size > 0;
}

async function untilDealtWith(client: RawClient, what: string, done: () => boolean): Promise<void> {
  const endMs = performance.now() + ANSWER_MS_MAX;
  while (!done()) {
    assert.ok(performance.now() < endMs, `no answer to ${what}`);
    await client.closedWithin(5);
  }
}

const oddRequests: Scenario = {
  title: "F42, I12: odd requests are answered, reset, or end their connection, and nobody else's",
  secondsMax: 60,
  run: async (context) => {
    const arena = await Arena.open(context);
    let count = 0;
    await arena.attack(async (attack) => {
      do {
        for (const [what, fields] of Object.entries(requests)) {
          const client = await arena.connect();
          await client.send(greeting(), headers(1, fields), data(1, message(rangeOfNothing), Flag.endStream));
          await untilDealtWith(client, what, () => isDealtWith(client));
          assert.notEqual(client.goaway?.code, Code.internal, `${what} is an internal error`);
          client.destroy();
          count++;
        }
      } while (!attack.over);
    });
    context.note(`${count} requests of ${Object.keys(requests).length} kinds`);
  },
};

const otherProtocols: Scenario = {
  title: "F42, I12: HTTP/1, upgrades and other protocols on the port get an HTTP answer, or are closed",
  secondsMax: 60,
  run: async (context) => {
    const arena = await Arena.open(context);
    await arena.attack(async (attack) => {
      do {
        for (const [what, bytes] of Object.entries(protocols)) {
          const client = await arena.connect(false);
          await client.send(Buffer.from(bytes, "latin1"));
          await untilDealtWith(client, what, () => client.isClosed || client.answer !== "");
          if (client.answer !== "" && !what.includes("preface"))
            assert.match(client.answer, /^HTTP\/1\.1 [2-4]\d\d /, `${what}: ${client.answer.slice(0, 80)}`);
          client.destroy();
        }
      } while (!attack.over);
    });
  },
};

export const oddScenarios: readonly Scenario[] = [oddRequests, otherProtocols];
