// What the test files share: a server per file, fresh names, and ways to wait and to expect a refusal.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { type ServiceError, status } from "@grpc/grpc-js";
import { bytes, EtcdClient, prefixEnd } from "./client/etcd-client.js";
import type { KeyValue } from "./client/messages.js";
import { type ServerUnderTest, type StartOptions, startServer } from "./server-under-test.js";
import { perTarget, target } from "./target.js";
import { missingTool, type ToolName } from "./tools.js";

/** One server and one client, alive while the tests of the enclosing suite run. */
export interface Fixture {
  readonly server: ServerUnderTest;
  readonly client: EtcdClient;
  /** A further connection of its own; closed with the fixture. */
  newClient(): EtcdClient;
}

/** The reason to skip a suite that needs these programs, or false when all are there. */
export function skipWithout(...tools: readonly ToolName[]): string | false {
  const needed: readonly ToolName[] = target === "etcd" ? ["etcd", ...tools] : tools;
  return needed.map(missingTool).find((reason) => reason !== false) ?? false;
}

/** Registers hooks that start a server before the suite and end it afterwards. Call it inside `describe`. */
export function useServer(options: StartOptions = {}): Fixture {
  const clients: EtcdClient[] = [];
  let running: ServerUnderTest | undefined;
  const server = (): ServerUnderTest => {
    assert.ok(running !== undefined, "the server runs only while the suite's tests run");
    return running;
  };
  const newClient = (): EtcdClient => {
    const client = new EtcdClient(server().endpoint);
    clients.push(client);
    return client;
  };
  let first: EtcdClient | undefined;
  before(async () => {
    running = await startServer(options);
    first = newClient();
  });
  after(async () => {
    for (const client of clients) {
      client.close();
    }
    await running?.dispose();
  });
  return {
    get server() {
      return server();
    },
    get client() {
      assert.ok(first !== undefined, "the client exists only while the suite's tests run");
      return first;
    },
    newClient,
  };
}

/**
 * What `rawOutcome` says of a call whose deadline passed on the server. etcd's gRPC library races: either the handler
 * answers in time, or the library's own timer resets the stream (CANCEL, 8) and leaves the status to the client.
 */
export const serverDeadlineOutcome = perTarget({
  holdfast: /^4 context deadline exceeded$/,
  etcd: /^(4 context deadline exceeded|reset 8)$/,
});

/**
 * Asserts that a call ended because its deadline passed. Where the server is etcd, its reset (see above) may reach
 * grpc-js before grpc-js's own timer fires, which then calls it a cancellation.
 */
export async function deadlinePassed(call: Promise<unknown>): Promise<void> {
  const code = await call.then(
    () => status.OK,
    (error: ServiceError) => error.code,
  );
  const accepted = perTarget({
    holdfast: [status.DEADLINE_EXCEEDED],
    etcd: [status.DEADLINE_EXCEEDED, status.CANCELLED],
  });
  assert.ok(accepted.includes(code), `ended with ${status[code]}`);
}

let names = 0;

/** A name no other test of this file uses, so that tests of one server do not meet. */
export function freshName(purpose: string): string {
  names += 1;
  return `${purpose}-${names}`;
}

/** Asserts that the call fails with exactly this code, and text. */
export async function refused(call: Promise<unknown>, code: number, details: string | RegExp): Promise<void> {
  const error = await call.then(
    (answer) => assert.fail(`expected a refusal, got ${JSON.stringify(answer)}`),
    (reason: ServiceError) => reason,
  );
  assert.equal(error.code, code, `code of: ${error.message}`);
  if (typeof details === "string") {
    assert.equal(error.details, details);
  } else {
    assert.match(error.details, details);
  }
}

/**
 * Resolves with the keys under the prefix, oldest first, as soon as `accepts` holds for them. Every change is looked
 * at because a watch tells of it; nothing is polled.
 */
export async function untilKeys(
  client: EtcdClient,
  prefix: string,
  accepts: (keys: readonly KeyValue[]) => boolean,
): Promise<readonly KeyValue[]> {
  const watch = client.watchStream();
  watch.send({ create_request: { key: bytes(prefix), range_end: prefixEnd(prefix) } });
  await watch.next();
  try {
    for (;;) {
      const { kvs } = await client.prefix(prefix, { sort_order: "ASCEND", sort_target: "CREATE" });
      if (accepts(kvs)) {
        return kvs;
      }
      await watch.next();
    }
  } finally {
    watch.cancel();
  }
}

/** The keys of key-values as text, in their order. */
export function keyTexts(kvs: readonly KeyValue[]): readonly string[] {
  return kvs.map((kv) => kv.key.toString());
}
