/** Strings that occur nowhere else, calls that carry them, and the search for them. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect as connectTls } from "node:tls";
import {
  authService,
  byteStringFromText,
  createPermission,
  createPutRequest,
  createRequestOp,
  createTxnRequest,
  createWatchCreateRequest,
  kvService,
  leaseService,
  lockService,
  type MethodDescriptor,
  maintenanceService,
  PermissionType,
  watchService,
} from "@holdfast/protocol";
import { GrpcClient } from "@holdfast/transport";

export class Canaries {
  readonly #byName = new Map<string, string>();

  /** The canary of this name, which is made when it is first asked for. */
  of(name: string): string {
    const known = this.#byName.get(name) ?? `canary${randomBytes(12).toString("hex")}`;
    this.#byName.set(name, known);
    return known;
  }

  /** Takes a secret that was made elsewhere. */
  add(name: string, secret: string): void {
    assert.ok(secret.length >= 16, `${name} is too short to be looked for`);
    this.#byName.set(name, secret);
  }

  /** The names of those that are in `text`, whether as they are, in hexadecimal or in base64. */
  foundIn(text: string): string[] {
    const found = [...this.#byName].filter(([, canary]) => formsOf(canary).some((form) => text.includes(form)));
    return found.map(([name]) => name).sort();
  }

  mustNotBeIn(where: string, text: string): void {
    assert.deepEqual(this.foundIn(text), [], where);
  }
}

/** In base64 a text has three forms, by where it begins; of each what its neighbours do not change. */
function formsOf(canary: string): string[] {
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.from("x".repeat(shift) + canary)
      .toString("base64")
      .slice(shift === 0 ? 0 : 4, -4),
  );
  return [canary, Buffer.from(canary).toString("hex"), ...base64];
}

export interface CanaryCalls {
  /** All that callers were told of calls that failed. */
  readonly refusals: readonly string[];
}

type Unary<Request, Response> = MethodDescriptor<Request, Response, "unary">;

const { methods: auth } = authService;
const { methods: kv } = kvService;

/** One connection, and what was refused on it. */
class Caller {
  readonly refusals: string[] = [];
  readonly #grpc: GrpcClient;
  readonly #origin: string;

  constructor(grpc: GrpcClient, origin: string) {
    this.#grpc = grpc;
    this.#origin = origin;
  }

  /** Undefined if it was refused. */
  async call<Request, Response>(
    method: Unary<Request, Response>,
    fields: Partial<Request>,
    token?: string,
  ): Promise<Response | undefined> {
    const bytes = await this.bytes(method.path, method.request.encode(method.request.create(fields)), token);
    return bytes === undefined ? undefined : method.response.decode(bytes);
  }

  async bytes(path: string, request: Uint8Array, token?: string): Promise<Uint8Array | undefined> {
    const metadata = token === undefined ? [] : ([["token", token]] as const);
    const { status, message } = await this.#grpc.unary(path, request, { metadata });
    if (status.code !== 0) this.refusals.push(status.message);
    return status.code === 0 ? message : undefined;
  }

  /** The first answer of a stream, or its end. */
  async stream(path: string, request: Uint8Array, token?: string): Promise<void> {
    const metadata = token === undefined ? [] : ([["token", token]] as const);
    await new Promise<void>((resolve) => {
      const call = this.#grpc.open(
        path,
        {
          headers() {},
          message: () => resolve(),
          end: ({ status }) => {
            if (status.code !== 0) this.refusals.push(status.message);
            resolve();
          },
        },
        { metadata },
      );
      call.send(request);
      call.halfClose();
    });
  }

  /** Anything over HTTP. What is answered counts as a refusal unless it is 200. */
  async http(path: string, body: string, headers: Record<string, string> = {}): Promise<void> {
    const ask = this.#origin.startsWith("https:") ? httpsRequest : httpRequest;
    const call = ask(`${this.#origin}${path}`, { method: "POST", headers, agent: false, rejectUnauthorized: false });
    call.end(body);
    const [response] = await once(call, "response");
    let text = "";
    for await (const chunk of response) text += chunk;
    if (response.statusCode !== 200) this.refusals.push(`${text} ${JSON.stringify(response.headers)}`);
  }

  close(): void {
    this.#grpc.destroy();
  }
}

/** Switches authentication on at `endpoint` and makes calls with canaries of every kind, most of which fail. */
export async function makeCalls(endpoint: string, canaries: Canaries): Promise<CanaryCalls> {
  const caller = await connected(endpoint);
  const token = await secure(caller, canaries);
  await failToLogIn(caller, canaries);
  await useKeys(caller, canaries, token);
  await failOverHttp(caller, canaries, token);
  caller.close();
  return caller;
}

async function connected(endpoint: string): Promise<Caller> {
  const isSecure = endpoint.startsWith("https:");
  const origin = isSecure ? endpoint : `http://${endpoint}`;
  const port = Number(endpoint.slice(endpoint.lastIndexOf(":") + 1));
  if (!isSecure) return new Caller(await GrpcClient.connect({ host: "127.0.0.1", port }), origin);
  const socket = connectTls({ host: "127.0.0.1", port, ALPNProtocols: ["h2"], rejectUnauthorized: false });
  await once(socket, "secureConnect");
  return new Caller(new GrpcClient(socket, "localhost"), origin);
}

/** Root and a user with a role for one key; root's token. */
async function secure(caller: Caller, canaries: Canaries): Promise<string> {
  const password = canaries.of("root's password");
  await caller.call(auth.userAdd, { name: "root", password });
  await caller.call(auth.userGrantRole, { user: "root", role: "root" });
  await caller.call(auth.userAdd, { name: "ann", password: canaries.of("a password") });
  await caller.call(auth.userChangePassword, { name: "ann", password: canaries.of("a new password") });
  await caller.call(auth.roleAdd, { name: "reader" });
  const key = byteStringFromText(canaries.of("a key"));
  const perm = createPermission({ permType: PermissionType.READ, key });
  await caller.call(auth.roleGrantPermission, { name: "reader", perm });
  await caller.call(auth.userGrantRole, { user: "ann", role: "reader" });
  await caller.call(auth.authEnable, {});
  const login = await caller.call(auth.authenticate, { name: "root", password });
  const token = login?.token ?? "";
  canaries.add("a token", token);
  return token;
}

async function failToLogIn(caller: Caller, canaries: Canaries): Promise<void> {
  const password = canaries.of("a wrong password");
  for (const name of ["root", "ann", "nobody", ""]) await caller.call(auth.authenticate, { name, password });
  // Until the next has to wait.
  for (let i = 0; i < 15; i++) await caller.call(auth.authenticate, { name: "mallory", password });
  for (const guess of [canaries.of("a wrong token"), `Bearer ${canaries.of("a wrong token")}`]) {
    await caller.call(kv.range, { key: byteStringFromText(canaries.of("a key")) }, guess);
    await caller.call(maintenanceService.methods.status, {}, guess);
  }
  await caller.call(auth.userAdd, { name: "root", password });
  await caller.call(auth.userChangePassword, { name: "nobody", password });
}

async function useKeys(caller: Caller, canaries: Canaries, token: string): Promise<void> {
  const key = byteStringFromText(canaries.of("a key"));
  const value = Buffer.from(canaries.of("a value"));
  await caller.call(kv.put, { key, value }, token);
  await caller.call(kv.put, { key, value });
  await caller.call(kv.put, { key, value, lease: 99n }, token);
  await caller.call(kv.put, { key, value: new Uint8Array(2_000_000).fill(120) }, token);
  await caller.call(kv.range, { key, revision: 99 }, token);
  const put = createRequestOp({ requestPut: createPutRequest({ key, value }) });
  await caller.call(kv.txn, { success: [put, put] }, token);
  const nested = createRequestOp({ requestTxn: createTxnRequest({ success: [put] }) });
  await caller.call(kv.txn, { success: [put], failure: [nested] }, token);
  await caller.call(lockService.methods.lock, { name: key, lease: 99n }, token);
  await caller.call(lockService.methods.unlock, { key }, canaries.of("a wrong token"));
  await caller.call(leaseService.methods.leaseRevoke, { id: 99n }, token);
  const { request, path } = watchService.methods.watch;
  const create = request.encode(request.create({ createRequest: createWatchCreateRequest({ key }) }));
  for (const credential of [token, canaries.of("a wrong token"), undefined])
    await caller.stream(path, create, credential);
  const broken = Buffer.concat([create, Buffer.from([0x0a, 0x7f]), value]);
  await caller.stream(path, broken, token);
  for (const method of [kv.put, auth.authenticate, auth.userAdd]) await caller.bytes(method.path, broken, token);
  await caller.bytes(`/no.such.Service/${canaries.of("a path")}`, value, token);
}

async function failOverHttp(caller: Caller, canaries: Canaries, token: string): Promise<void> {
  const password = canaries.of("a wrong password");
  const login = JSON.stringify({ name: "ann", password });
  const authorization = canaries.of("a wrong token");
  await caller.http("/v3/auth/authenticate", login);
  await caller.http("/v3/auth/user/add", login, { authorization });
  await caller.http("/v3/auth/user/add", JSON.stringify({ name: "root", password }), { authorization: token });
  await caller.http("/v3/kv/put", JSON.stringify({ key: canaries.of("a key") }), { authorization });
  await caller.http(`/metrics?token=${authorization}`, "");
  await caller.http(`/${canaries.of("a path")}`, "");
  const cookie = `token=${authorization}`;
  await caller.http("/v3/lease/keepalive", JSON.stringify({ ID: "99" }), { cookie, authorization });
  await caller.http("/v3/auth/authenticate", `${login.slice(0, -1)}, "name": 5}`);
  await caller.http("/v3/auth/authenticate", login.slice(0, -3));
}
