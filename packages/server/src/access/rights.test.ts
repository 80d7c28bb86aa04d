import assert from "node:assert/strict";
import { test } from "node:test";
import { AlarmAction, createAlarmRequest, methodsByPath } from "@holdfast/protocol";
import { rightOf, rightsByPath } from "./rights.js";

test("AUTH-20: every method there is has a row, and every row a method", () => {
  assert.deepEqual([...rightsByPath.keys()].sort(), [...methodsByPath.keys()].sort());
});

test("AUTH-20: only logging in, asking whether authentication is on, health and reflection take no user", () => {
  const free = [...rightsByPath].filter(([, right]) => right === "open" || right === "anyone").map(([path]) => path);
  assert.deepEqual(free.sort(), [
    "/etcdserverpb.Auth/AuthStatus",
    "/etcdserverpb.Auth/Authenticate",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/List",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  ]);
});

test("AUTH-20: asking for alarms takes any user, raising and clearing them takes root", () => {
  const right = rightsByPath.get("/etcdserverpb.Maintenance/Alarm");
  assert.ok(typeof right === "function");
  const needOf = (action: number): string => right(createAlarmRequest({ action }) as never);
  assert.deepEqual([AlarmAction.GET, AlarmAction.ACTIVATE, AlarmAction.DEACTIVATE, 7].map(needOf), [
    "authenticated",
    "admin",
    "admin",
    "admin",
  ]);
});

test("AUTH-20: a method that nobody has thought about is not offered", () => {
  const known = methodsByPath.get("/etcdserverpb.KV/Put");
  assert.ok(known !== undefined);
  assert.throws(() => rightOf({ ...known, path: "/etcdserverpb.KV/Peek" }), /no rights are laid down/);
});
