/** Which address serves what, in clear text and over TLS. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { clusterService } from "@holdfast/protocol";
import { pino } from "pino";
import { InvalidAddressError } from "../net/address.js";
import type { ServerOptions } from "../server-options.js";
import { startServer } from "../start-server.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { TestClient } from "../testing/test-client.js";
import { portOf, start } from "../testing/test-server.js";
import { startTls } from "../testing/tls.js";
import { InsecureListenError } from "./addresses.js";

const hung = { timeout: 20_000 };
const local = "127.0.0.1:0";

interface Addresses {
  readonly addresses: readonly string[];
  readonly httpAddresses: readonly string[];
  readonly metricsAddresses: readonly string[];
}

async function statusOf(address: string, path: string): Promise<number> {
  const response = await fetch(`http://${address}${path}`, { headers: { connection: "close" } });
  await response.arrayBuffer();
  return response.status;
}

async function clientAt(t: TestContext, address: string): Promise<TestClient> {
  const client = await TestClient.connect(portOf(address));
  t.after(() => client.grpc.destroy());
  return client;
}

test("one address serves everything: gRPC, the gateway, the pages and the metrics", hung, async (t) => {
  const { server, client } = await start(t);
  const [address] = server.running.addresses as [string];
  await client.put("a");
  for (const path of ["/version", "/health", "/metrics"]) assert.equal(await statusOf(address, path), 200, path);
  const answer = await fetch(`http://${address}/v3/kv/range`, { method: "POST", body: '{"key":"YQ=="}' });
  const { count } = (await answer.json()) as { count: string };
  assert.equal(count, "1");
  assert.equal(await statusOf(address, "/no/such/page"), 404);
});

test("with addresses for HTTP, the others serve gRPC only", hung, async (t) => {
  const { server, client } = await start(t, { listenHttp: local, listenMetrics: local });
  const { addresses, httpAddresses, metricsAddresses }: Addresses = server.running;
  const [grpc, http, metrics] = [addresses[0], httpAddresses[0], metricsAddresses[0]] as [string, string, string];
  assert.deepEqual([addresses.length, httpAddresses.length, metricsAddresses.length], [1, 1, 1]);
  await client.put("a");
  assert.equal(await statusOf(grpc, "/version"), 404);
  assert.equal(await statusOf(http, "/version"), 200);
  assert.equal(await statusOf(http, "/metrics"), 200);
  assert.equal(await statusOf(metrics, "/metrics"), 200);
  assert.equal(await statusOf(metrics, "/health"), 200);
  assert.equal(await statusOf(metrics, "/version"), 404);
  for (const address of [http, metrics]) {
    const { status } = await (await clientAt(t, address)).grpc.unary("/etcdserverpb.KV/Range", new Uint8Array(0));
    // UNIMPLEMENTED is what a client makes of a page that is not there.
    assert.equal(status.code, 12);
  }
});

test(
  "F25, LIMIT connectionsFromLoopbackMax: it binds who comes from this machine, and nothing smaller does",
  hung,
  async (t) => {
    const netLimits = { connectionsPerAddressMax: 1, connectionsFromLoopbackMax: 4 };
    const { server, client } = await start(t, { netLimits });
    const [address] = server.running.addresses as [string];
    for (let more = 0; more < 3; more++) await (await clientAt(t, address)).put("a");
    const refused = connect(portOf(address), "127.0.0.1").on("error", () => {});
    await once(refused, "close");
    await client.put("a");
  },
);

test("CLUS-1: MemberList names, sorted, where clients connect to, or what they are told", hung, async (t) => {
  const path = `${temporaryFolder()}/s`;
  const { server, client } = await start(t, { listen: [local, `unix:${path}`], listenHttp: local });
  const urls = async (by: TestClient): Promise<readonly string[]> =>
    (await by.call(clusterService.methods.memberList)).members[0]?.clientUrls ?? [];
  assert.deepEqual(await urls(client), [`http://${server.running.addresses[0]}`, `unix://${path}`]);
  const advertise = ["https://etcd.example:2379", "http://10.0.0.1:2379"];
  const other = await start(t, { advertise });
  assert.deepEqual(await urls(other.client), advertise.toReversed());
  const secure = await startTls(t);
  assert.deepEqual(await urls(await secure.client()), [secure.server.endpoint]);
});

test("what cannot be listened on or advertised is refused before anything is opened", async () => {
  const dataDir = `${temporaryFolder()}/never-made`;
  const cases: ServerOptions[] = [
    { listen: [] },
    { listenHttp: "nowhere" },
    { listenMetrics: "unix:" },
    { listen: `unix:/${"x".repeat(200)}` },
    { advertise: ["10.0.0.1:2379"] },
  ];
  for (const options of cases) {
    await assert.rejects(startServer({ listen: local, dataDir, ...options }), InvalidAddressError);
  }
  await (await startServer({ listen: local, dataDir })).close();
});

test("I12, I13: clear text beyond this machine is refused before anything is opened, unless it is said to be meant", async (t) => {
  const dataDir = `${temporaryFolder()}/never-made`;
  const wide = ["0.0.0.0:0", "http://0.0.0.0:0", ":0", "[::]:0", "http://10.1.2.3:2379", "some.host.example:2379"];
  const cases: ServerOptions[] = [
    ...wide.map((listen) => ({ listen })),
    { listen: [local, "0.0.0.0:0"] },
    { listen: local, listenHttp: "0.0.0.0:0" },
    { listen: local, listenMetrics: "0.0.0.0:0" },
    { listen: "0.0.0.0:0", allowInsecureListen: false },
    // Certificates protect only the addresses that speak TLS.
    { listen: ["https://0.0.0.0:0", "0.0.0.0:0"], tls: { autoTls: true } },
  ];
  for (const options of cases) {
    const refused = startServer({ dataDir, ...options });
    await assert.rejects(refused, InsecureListenError, JSON.stringify(options));
    await assert.rejects(
      refused,
      /--allow-insecure-listen, HOLDFAST_ALLOW_INSECURE_LISTEN=true, or allow-insecure-listen: true .*allowInsecureListen/,
    );
  }
  assert.equal(existsSync(dataDir), false);
  const { server } = await start(t, { listen: "0.0.0.0:0", listenMetrics: "[::]:0", allowInsecureListen: true });
  assert.match(server.running.addresses[0] ?? "", /^0\.0\.0\.0:\d+$/);
  const secure = await startServer({ listen: "https://0.0.0.0:0", tls: { autoTls: true } });
  t.after(() => secure.close());
  assert.match(secure.endpoint, /^https:/);
});

test("a stopping server ends keep-alive connections and open streams of the gateway", hung, async () => {
  const server = await startServer({ listen: local });
  const address = server.addresses[0] as string;
  const idle = connect(portOf(address), "127.0.0.1");
  idle.write("GET /version HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(idle, "data");
  const watch = await fetch(`http://${address}/v3/watch`, {
    method: "POST",
    body: '{"create_request":{"key":"YQ=="}}',
  });
  const reader = watch.body?.getReader();
  await reader?.read();
  const idleGone = once(idle, "close");
  const closing = server.close();
  while ((await reader?.read())?.done === false);
  await Promise.all([closing, idleGone]);
});

test("an operator is told where others get in, and where certificates are of no use", hung, async (t) => {
  const lines: string[] = [];
  const logger = pino({ level: "warn", base: null }, { write: (line: string) => lines.push(line) });
  const said = (pattern: RegExp): number => lines.filter((line) => pattern.test(line)).length;
  const listen = ["https://127.0.0.1:0", local, "0.0.0.0:0", "https://0.0.0.0:0"];
  await startTls(t, { server: { listen, allowInsecureListen: true, logger } });
  assert.equal(said(/in clear text and, unless/), 1);
  assert.equal(said(/without a certificate and, unless/), 1);
  assert.equal(said(/certificates are set, but not used/), 2);
  assert.equal(lines.length, 4);
});
