/**
 * The error tables against the reference paper, both directions.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { cancelReasons, type EtcdError, etcdErrors, etcdTexts, forwardedErrorCode } from "./errors.js";
import { StatusCode, statusCodeNames } from "./status-codes.js";
import { readReference, section, tableRows } from "./testing/reference-paper.test.support.js";
import { messageTooLarge, unknownMethod, unknownService } from "./transport-errors.js";

const reference = readReference();
const all: [string, EtcdError][] = Object.entries(etcdErrors);
const unquoted = (cell: string) => cell.replace(/^`(.*)`$/, "$1");

/** `EmptyKey` of `ErrGRPCEmptyKey` as `emptyKey`, acronyms folded. */
function ownName(goName: string): string {
  const folded = goName
    .replace(/^ErrGRPC/, "")
    .replace(/[A-Z]{2,}(?=[A-Z][a-z]|s\b|$)/g, (run) => run[0] + run.slice(1).toLowerCase());
  return folded[0]!.toLowerCase() + folded.slice(1);
}

test("the declared errors are those of section 3.1: name, code and text", () => {
  const rows = tableRows(section(reference, "### 3.1 Error table", "### 3.2")).map(
    ([goName, code, , message]) => `${ownName(goName!)} ${code} ${unquoted(message!)}`,
  );
  const ours = all.map(([name, { code, message }]) => `${name} ${statusCodeNames[code]} (${code}) ${message}`);
  assert.deepEqual(ours, rows);
  assert.equal(new Set(all.map(([, { message }]) => message)).size, all.length);
});

test("section 3.2: what arrives differs from what is declared in exactly four cases", () => {
  const differing = all.filter(([, error]) => error.code !== error.wireCode || error.message !== error.wireMessage);
  assert.deepEqual(
    differing.map(([name]) => name),
    ["memberNotEnoughStarted", "requestTooManyRequests", "canceled", "deadlineExceeded"],
  );
  const rows = new Map(tableRows(section(reference, "### 3.2", "### 3.3")).map(([name, text]) => [name, text!]));
  const wire = (error: EtcdError) => `${statusCodeNames[error.wireCode]} \`${error.wireMessage}\``;
  const cancelled = rows.get("Client cancelled / deadline passed")!;
  assert.ok(cancelled.startsWith(`${wire(etcdErrors.canceled)} / ${wire(etcdErrors.deadlineExceeded)}`));
  const lostCode = [...rows].find(([name]) => name!.startsWith("Not enough started members; too many requests"));
  assert.match(lostCode![1], /Right text, but code UNKNOWN \(2\)/);
  for (const error of [etcdErrors.memberNotEnoughStarted, etcdErrors.requestTooManyRequests]) {
    assert.deepEqual([error.wireCode, error.wireMessage], [StatusCode.unknown, error.message]);
  }
  assert.match(rows.get("Lock and Election services")!, new RegExp(`code UNKNOWN \\(${forwardedErrorCode}\\)`));
});

test("section 3.2: the texts of the transport", () => {
  const rows = new Map(tableRows(section(reference, "### 3.2", "### 3.3")).map(([name, text]) => [name, text!]));
  const fill = (template: string) =>
    template.replace("<size>", "5").replace("<limit>", "4").replace("<m>", "M").replaceAll("<s>", "S");
  const tooLarge = messageTooLarge(5, 4);
  assert.equal(
    fill(rows.get("Message above the transport limit")!),
    `${statusCodeNames[tooLarge.code]} (${tooLarge.code}), \`${tooLarge.message}\`.`,
  );
  const [method, service] = [unknownMethod("S", "M"), unknownService("S")];
  assert.equal(
    fill(rows.get("Method or service not present")!),
    `${statusCodeNames[method.code]} (${service.code}), \`${method.message}\` / \`${service.message}\`.`,
  );
});

test("section 3.3: the errors outside the table, code and text", () => {
  const rows = tableRows(section(reference, "### 3.3", "### 3.4")).map(([text, code]) => `${code} ${unquoted(text!)}`);
  const ours = Object.values(etcdTexts).map(({ code, message }) => `${statusCodeNames[code]} ${message}`);
  assert.deepEqual(ours, rows);
});

test("section 3.4: the reasons of a cancelled watch", () => {
  const rows = tableRows(section(reference, "### 3.4", "## 4."));
  const texts = rows.map(([, text]) => /^`([^`]+)`/.exec(text!)?.[1] ?? (text!.startsWith("empty") ? "" : text));
  assert.deepEqual(Object.values(cancelReasons), texts);
});

test("cancel reasons repeat the declared errors they stem from", () => {
  const goNames = { permissionDenied: "PermissionDenied", invalidAuthToken: "Unauthenticated" };
  const text = (code: string, error: EtcdError) => `rpc error: code = ${code} desc = ${error.message}`;
  assert.equal(cancelReasons.compacted, etcdErrors.compacted.message);
  assert.equal(cancelReasons.permissionDenied, text(goNames.permissionDenied, etcdErrors.permissionDenied));
  assert.equal(cancelReasons.invalidAuthToken, text(goNames.invalidAuthToken, etcdErrors.invalidAuthToken));
  assert.equal(cancelReasons.authOldRevision, text("InvalidArgument", etcdErrors.authOldRevision));
  assert.equal(cancelReasons.userEmpty, text("InvalidArgument", etcdErrors.userEmpty));
});

test("status codes and names are those of section 4.5", () => {
  const rows = tableRows(section(reference, "### 4.5", "### 4.6")).map(([name, code]) => `${name} ${code}`);
  assert.deepEqual(
    statusCodeNames.map((name, code) => `${name} ${code}`),
    rows,
  );
  const own = Object.entries(StatusCode).map(([name, code]) => {
    return `${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()} ${code}`;
  });
  assert.deepEqual(own, rows);
});
