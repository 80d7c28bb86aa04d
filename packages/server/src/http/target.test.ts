import assert from "node:assert/strict";
import { test } from "node:test";
import { cleanTarget, decodePath, withoutQuery } from "./target.js";

test("paths are cleaned as Go's ServeMux does it; what is clean stays", () => {
  const cases: [string, string | undefined][] = [
    ["/", undefined],
    ["/v3/kv/put", undefined],
    ["/v3/kv/put/", undefined],
    ["/a.b/..c/.d", undefined],
    ["/a?x=//../", undefined],
    ["//v3/kv/put?a=1", "/v3/kv/put?a=1"],
    ["//evil.example", "/evil.example"],
    ["/x/..//\\evil.example", "/%5Cevil.example"],
    ["/\\evil.example/../\\/.?\\", "/%5C?\\"],
    ["/v3/./kv/../kv/put", "/v3/kv/put"],
    ["/foo/.", "/foo"],
    ["/foo/./", "/foo/"],
    ["/v3/kv/put/..", "/v3/kv"],
    ["/..", "/"],
    ["/x/../", "/"],
    ["/a/b/../", "/a/"],
    ["/../../etc//passwd", "/etc/passwd"],
  ];
  for (const [path, expected] of cases) assert.equal(cleanTarget(path), expected, path);
});

test("percent escapes are decoded; what is none is refused", () => {
  assert.equal(decodePath("/v3/kv/%70ut"), "/v3/kv/put");
  assert.equal(decodePath("/v3/kv%2Fput"), "/v3/kv/put");
  assert.equal(decodePath("/%ff"), "/%ff");
  for (const path of ["/%", "/%7", "/%zz", "/%ff%g0"]) assert.equal(decodePath(path), undefined, path);
  assert.equal(withoutQuery("/a?b?c"), "/a");
});
