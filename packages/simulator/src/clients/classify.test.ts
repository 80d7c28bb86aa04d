import assert from "node:assert/strict";
import { test } from "node:test";
import { etcdErrors, etcdTexts, StatusCode } from "@holdfast/protocol";
import { classOf } from "./classify.js";

function ended(code: number, message = "", neverProcessed = false): ReturnType<typeof classOf> {
  return classOf({ status: { code, message }, neverProcessed });
}

test("only OK is done (I9)", () => {
  assert.equal(ended(StatusCode.ok), "done");
});

test("what may have had an effect is unknown (I9)", () => {
  for (const code of [StatusCode.unavailable, StatusCode.deadlineExceeded, StatusCode.cancelled]) {
    assert.equal(ended(code, "connection lost"), "unknown");
  }
  for (const code of [StatusCode.internal, StatusCode.aborted, StatusCode.unknown, 99]) {
    assert.equal(ended(code, "anything"), "unknown");
  }
  for (const error of [etcdErrors.timeout, etcdErrors.stopped, etcdErrors.canceled, etcdErrors.leaderChanged]) {
    assert.equal(ended(error.wireCode, error.wireMessage), "unknown", error.message);
  }
});

test("what was never processed is refused, whatever its code (I9)", () => {
  assert.equal(ended(StatusCode.unavailable, "connection closed", true), "refused");
  assert.equal(ended(StatusCode.deadlineExceeded, "context deadline exceeded", true), "refused");
});

test("every declared error with a refusing code is refused as it arrives (I9)", () => {
  const refused = [
    etcdErrors.emptyKey,
    etcdErrors.leaseNotFound,
    etcdErrors.leaseExist,
    etcdErrors.compacted,
    etcdErrors.permissionDenied,
    etcdErrors.invalidAuthToken,
    etcdErrors.noSpace,
    etcdErrors.corrupt,
    etcdErrors.requestTooManyRequests,
  ];
  for (const error of refused) assert.equal(ended(error.wireCode, error.wireMessage), "refused", error.message);
});

test("Lock and Election refuse under the code UNKNOWN (I9, LOCK-14, LOCK-16, ELECT-4)", () => {
  const texts = [
    etcdTexts.mutexSessionExpired.message,
    etcdTexts.electionNotLeader.message,
    etcdTexts.electionNoLeader.message,
    etcdTexts.electionLeaderMissing.message,
    etcdErrors.leaseNotFound.message,
    etcdErrors.permissionDenied.message,
  ];
  for (const text of texts) assert.equal(ended(StatusCode.unknown, text), "refused", text);
  for (const text of [etcdErrors.timeout.message, etcdErrors.stopped.message, etcdTexts.lostWatcher.message]) {
    assert.equal(ended(StatusCode.unknown, text), "unknown", text);
  }
});

test("a refusing code that the client's own transport made up for a lost answer is unknown (I9)", () => {
  const texts = [
    "stream reset by the server with HTTP/2 error code 11",
    "unexpected answer that is not gRPC, HTTP status 403",
    "too many unfinished response messages",
  ];
  for (const text of texts) {
    assert.equal(ended(StatusCode.resourceExhausted, text), "unknown");
    assert.equal(ended(StatusCode.permissionDenied, text), "unknown");
  }
  assert.equal(ended(StatusCode.unavailable, "stream reset by the server with HTTP/2 error code 7", true), "refused");
});
