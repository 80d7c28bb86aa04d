/**
 * What a user may do with one key, and what a command really did: the two are held against each other, whatever the shape of
 * the request was. Shares no code with the machine.
 */
import type { KeyValue, Permission } from "@holdfast/protocol";
import type { AuthView } from "../auth/auth-types.js";
import type { StateMachine } from "../state-machine.js";
import { rangeRequest } from "./builders.js";
import { plain } from "./plain.js";

/** Whether `userName` may read or write exactly this key. */
export function mayTouch(auth: AuthView, userName: string, key: string, type: "read" | "write"): boolean {
  const roles = auth.user(userName)?.roles ?? [];
  if (roles.includes("root")) return true;
  const fitting = type === "read" ? [0, 2] : [1, 2];
  const held = roles.flatMap((role) => [...(auth.role(role)?.permissions ?? [])]);
  return held.some((permission) => fitting.includes(permission.permType) && isIn(key, permission));
}

function isIn(key: string, { key: from, rangeEnd }: Permission): boolean {
  if (rangeEnd === "") return key === from;
  return key >= from && (rangeEnd === "\0" || key < rangeEnd);
}

/** Every live key, with everything that can be seen of it. */
export function contentOf(machine: StateMachine): ReadonlyMap<string, string> {
  const outcome = machine.range(rangeRequest({ key: "\0", rangeEnd: "\0" }));
  if (outcome.kind !== "range") throw new Error("the newest revision can always be read");
  return new Map(outcome.response.kvs.map((pair) => [pair.key, JSON.stringify(plain(pair))]));
}

/** The keys that are not what they were. */
export function changedKeys(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key));
}

/** Everything but keys that a command may change. */
export function administeredState(machine: StateMachine): string {
  const { auth } = machine;
  const { enabled, revision } = auth;
  const tables = { enabled, revision, users: [...auth.users()], roles: [...auth.roles()] };
  return JSON.stringify(plain({ ...tables, alarms: machine.alarms(), compacted: machine.compactRevision }));
}

/** The keys of every pair that is in an answer, however deep. */
export function keysTold(answer: unknown): string[] {
  if (typeof answer !== "object" || answer === null || answer instanceof Uint8Array) return [];
  const inner = Object.values(answer).flatMap(keysTold);
  return isPair(answer) ? [answer.key, ...inner] : inner;
}

function isPair(value: object): value is KeyValue {
  return "key" in value && "modRevision" in value && typeof value.key === "string";
}
