/** Calls of every kind by callers of every kind, and what must become of them. */
import assert from "node:assert/strict";
import {
  authService,
  cancelReasons,
  type EtcdError,
  electionService,
  etcdErrors,
  StatusCode,
} from "@holdfast/protocol";
import type { AccessDoor, Refused } from "./access-doors.js";
import { type AccessRow, accessRows, type Needed, subject, switchesOff } from "./access-rows.js";
import { addUser } from "./secured.js";
import type { TestClient } from "./test-client.js";

const auth = authService.methods;

type Verdict = "through" | "user empty" | "invalid token" | "denied" | "unknown user";

/** What becomes of a call by what it takes, for each kind of caller. */
const expected = {
  nobody: row("through", "through", "user empty", "user empty", "user empty"),
  "bad token": row("through", "invalid token", "invalid token", "invalid token", "invalid token"),
  "no user": row("through", "through", "denied", "denied", "unknown user"),
  powerless: row("through", "through", "through", "denied", "denied"),
  holder: row("through", "through", "through", "through", "denied"),
  root: row("through", "through", "through", "through", "through"),
} as const;

export type CallerKind = keyof typeof expected;

function row(...[nothing, noBadToken, anyUser, keys, root]: Verdict[]): Readonly<Record<Needed, Verdict>> {
  return { nothing, "no bad token": noBadToken, "any user": anyUser, keys, root } as Record<Needed, Verdict>;
}

const verdicts: readonly (readonly [EtcdError, Verdict])[] = [
  [etcdErrors.userEmpty, "user empty"],
  [etcdErrors.invalidAuthToken, "invalid token"],
  [etcdErrors.permissionDenied, "denied"],
  [etcdErrors.userNotFound, "unknown user"],
];
const cancelled: Readonly<Record<string, Verdict>> = {
  [cancelReasons.userEmpty]: "user empty",
  [cancelReasons.invalidAuthToken]: "invalid token",
  [cancelReasons.permissionDenied]: "denied",
};

/** Checks the code as well: Lock and Election pass a refusal on as UNKNOWN. */
function verdictOf({ method }: AccessRow, kind: CallerKind, refused: Refused | undefined): Verdict {
  if (refused === undefined) return "through";
  const watch = cancelled[refused.message];
  if (refused.code === undefined && watch !== undefined) return watch;
  const found = verdicts.find(([{ wireMessage }]) => wireMessage === refused.message);
  // Who may ask is told about users that there are not, too.
  if (found === undefined || (found[1] === "unknown user" && kind === "root")) return "through";
  const isForwarded = method.service === "v3lockpb.Lock" || method.service === "v3electionpb.Election";
  assert.equal(refused.code, isForwarded ? StatusCode.unknown : found[0].wireCode, method.path);
  return found[1];
}

export interface Caller {
  readonly kind: CallerKind;
  readonly title: string;
  readonly token: string | undefined;
}

/** Users, and what the requests are about. */
export async function prepare(client: TestClient): Promise<void> {
  await client.call(auth.userAdd, { name: "root", password: "root" });
  await client.call(auth.userGrantRole, { user: "root", role: "root" });
  await addUser(client, "powerless", []);
  await addUser(client, "holder", [["rw", "\0", "\0"]]);
  await restore(client);
  await client.grant(subject.leaderLease);
  await client.call(electionService.methods.campaign, { name: subject.elected, lease: subject.leaderLease });
}

/** Puts back what a call may have taken away. */
async function restore(client: TestClient): Promise<void> {
  await client.grant(subject.lease).catch(() => undefined);
  await client.put(subject.key, "", subject.lease);
}

/** So that every call has names of its own. */
let turn = 0;

async function checkCell(entry: AccessRow, { kind, title, token }: Caller, door: AccessDoor, through: string) {
  const refused = await door(entry.method, entry.request(turn++), token);
  const where = `${entry.method.path} ${JSON.stringify(refused)} by ${title}, ${through}`;
  assert.equal(verdictOf(entry, kind, refused), expected[kind][entry.needed], where);
}

/** Makes every call for `caller`. `root` is a client that may mend what was done. */
export async function checkColumn(
  caller: Caller,
  door: AccessDoor,
  through: string,
  root: () => Promise<TestClient>,
  rows = accessRows,
): Promise<number> {
  for (const entry of rows) {
    await checkCell(entry, caller, door, through);
    if (entry.method.path === switchesOff && caller.kind === "root") await (await root()).call(auth.authEnable);
    else if (expected[caller.kind][entry.needed] === "through") await restore(await root());
  }
  return rows.length;
}
