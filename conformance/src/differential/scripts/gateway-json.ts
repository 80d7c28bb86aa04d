// HTTP-4: how JSON becomes messages, and messages JSON.

import fc from "fast-check";
import { base64, post, unreadable } from "../gateway.js";
import { type ScriptOptions, script } from "../script.js";
import type { Session } from "../session.js";

const a = base64("a");

/** The name of an exchange; bodies hold what should not be printed. */
const named = (binding: string, body: string): string => `${binding} ${JSON.stringify(body)}`;

/** That a server tells of what it cannot read in words of its own. */
const otherWords = (...names: readonly string[]): ScriptOptions => ({
  divergences: names.map((name) => ({ row: "HTTP-4", at: `${name}.body`, etcd: /"code":3/, holdfast: /"code":3/ })),
});

/** Sends bodies that are readable, one after the other; their texts are their names. */
async function readable(s: Session, binding: string, bodies: readonly string[]): Promise<void> {
  for (const body of bodies) {
    const answer = await post(s, binding, body, { as: named(binding, body) });
    s.ok(answer.status === 200, `${body} is understood, got ${answer.status} ${answer.text}`);
  }
}

async function refused(s: Session, binding: string, bodies: readonly string[]): Promise<void> {
  for (const body of bodies) {
    await unreadable(s, binding, body, { as: named(binding, body) });
  }
}

const inputs = [
  script(
    "HTTP-4",
    "names of fields in both spellings; unknown ones are ignored",
    async (s) => {
      await readable(s, "kv/range", [
        `{"key":"${a}","range_end":"Yg=="}`,
        `{"key":"${a}","rangeEnd":"Yg=="}`,
        `{"key":"${a}","nobody":{"x":[1,2,{"y":null}]},"Key":"?","":1}`,
        `{"key":"${a}","[some.extension]":1}`,
        `{"key":"${a}","@type":"x"}`,
        `{"\\u006bey":"${a}"}`,
        ` \n\t{ "key" : "${a}" , "limit" : 1 }\r\n `,
        `{"key":"${a}"} trailing`,
        `{"key":"${a}"}{"key":`,
        `{"key":"${a}","range_end":null,"limit":null,"serializable":null,"sort_order":null}`,
      ]);
      await readable(s, "lease/timetolive", ['{"ID":1}', '{"id":1}', '{"Id":1}']);
      await readable(s, "kv/txn", [`{"success":[{"requestRange":{"key":"${a}"}}],"compare":null,"failure":null}`]);
      await refused(s, "kv/range", [
        `{"key":"${a}","key":"${a}"}`,
        `{"range_end":"Yg==","rangeEnd":"Yg==","key":"${a}"}`,
        `{"key":"${a}","nobody":1,"nobody":2,}`,
        `{"key":"${a}",}`,
        `{"key":"${a}" "limit":1}`,
        `{key:"${a}"}`,
        `{'key':'${a}'}`,
        `{"key":"${a}"`,
        `{"key"}`,
        "[]",
        "1",
        '"x"',
        "true",
        "nul",
        "{",
        "}",
        "\u0000",
        "\ufeff{}",
        `{"key":"${a}"/* comment */}`,
      ]);
      await post(s, "kv/range", "null", { as: "null" });
      await post(s, "kv/range", " ", { as: "space" });
      await post(s, "kv/txn", "null", { as: "null txn" });
      await post(s, "kv/range", `{"key":"${a}","nobody":1,"nobody":2}`, { as: "unknown twice" });
      await post(s, "kv/range", `{"key":"${a}","nobody":{"x":1,"x":2}}`, { as: "unknown twice inside" });
      await post(s, "kv/range", `{"key":"${a}","limit":1,"limit":null}`, { as: "twice, once null" });
    },
    otherWords(named("kv/range", "\u0000"), named("kv/range", "\ufeff{}")),
  ),
  script(
    "HTTP-4",
    "64-bit integers as numbers and as text",
    async (s) => {
      await readable(
        s,
        "kv/range",
        [
          ...["1", '"1"', "1.0", '"1.0"', "1e0", "10e-1", "1E2", '"1e2"', "-0", "0", "-1", '"-1"'],
          ...["9223372036854775807", '"9223372036854775807"', "-9223372036854775808", "1000e-3", "0.0"],
        ].map((limit) => `{"key":"${a}","limit":${limit}}`),
      );
      await refused(
        s,
        "kv/range",
        [
          ...[
            "1.5",
            '"1.5"',
            '""',
            '" 1"',
            '"1 "',
            '"x"',
            "true",
            "{}",
            "[]",
            "[1]",
            '"0x1"',
            '"+1"',
            "+1",
            "01",
            '"01"',
          ],
          ...["9223372036854775808", '"9223372036854775808"', "-9223372036854775809", "1e19", ".5", "1.", "1e", "NaN"],
          ...['"NaN"', '"Infinity"', "1e-1", "--1", '"1_000"'],
        ].map((limit) => `{"key":"${a}","limit":${limit}}`),
      );
    },
    otherWords(named("kv/range", `{"key":"${a}","limit":1.}`), named("kv/range", `{"key":"${a}","limit":1e}`)),
  ),
  script("HTTP-4", "unsigned integers and those of 32 bits", async (s) => {
    for (const memberID of ["18446744073709551615", '"18446744073709551615"', "0", "-0", "1e3"]) {
      await readable(s, "maintenance/alarm", [`{"action":1,"alarm":1,"memberID":${memberID}}`]);
      await readable(s, "maintenance/alarm", [`{"action":2,"alarm":1,"memberID":${memberID}}`]);
    }
    await refused(s, "maintenance/alarm", [
      '{"memberID":-1}',
      '{"memberID":18446744073709551616}',
      '{"memberID":"-1"}',
    ]);
  }),
  script("HTTP-4", "enumerations by name and by number", async (s) => {
    const all = `"key":"${a}","range_end":"eg=="`;
    await s.put("a", "1");
    await s.put("b", "2");
    await readable(
      s,
      "kv/range",
      [...['"DESCEND"', "2", "0", '"NONE"', "null", '"nonsense"', '"descend"', '""', '"2"', "2.0", "2e0"]].map(
        (order) => `{${all},"sort_order":${order}}`,
      ),
    );
    await refused(
      s,
      "kv/range",
      ["true", "{}", "[]", "2.5", "2147483648", "-2147483649"].map((order) => `{${all},"sort_order":${order}}`),
    );
    for (const order of ["9", "-1", "2147483647"]) {
      await post(s, "kv/range", `{${all},"sort_order":${order}}`, { as: `order ${order}` });
    }
  }),
  script(
    "HTTP-4",
    "bytes in every spelling of base64",
    async (s) => {
      await s.put("\xfb\xff", "1");
      await s.put("a", "2");
      await readable(
        s,
        "kv/range",
        ["+/8=", "+/8", "-_8=", "-_8", "YQ==", "YQ", "YQ\\u003d=", "YR=="].map((key) => `{"key":"${key}"}`),
      );
      await refused(
        s,
        "kv/range",
        ["*", "Y", "YQ=", "YQ===", "Y Q==", "YQ== ", "+_8=", "Y=Q=", "=", "YWFhY"].map((key) => `{"key":"${key}"}`),
      );
      await refused(s, "kv/range", ['{"key":1}', '{"key":true}', '{"key":[97]}', '{"key":{}}', '{"key":"\\ud800"}']);
      await readable(s, "kv/range", [`{"key":"Y\\u0051=="}`, `{"key":"${a}\\n"}`].slice(0, 1));
      await post(s, "kv/range", `{"key":"YQ\\n=="}`, { as: "line feed inside" });
      await post(s, "kv/range", `{"key":"YQ==\\r\\n"}`, { as: "line feed behind" });
    },
    otherWords(named("kv/range", '{"key":"\\ud800"}')),
  ),
  script(
    "HTTP-4",
    "booleans, texts, lists and messages",
    async (s) => {
      await readable(
        s,
        "kv/range",
        ["true", "false", "null"].map((value) => `{"key":"${a}","serializable":${value}}`),
      );
      await refused(
        s,
        "kv/range",
        ['"true"', "0", "1", "TRUE", "[]"].map((value) => `{"key":"${a}","serializable":${value}}`),
      );
      await readable(s, "auth/role/add", [
        '{"name":"r"}',
        '{"name":"\\u00e9\\n\\"\\/\\u2028"}',
        '{"name":"\\ud83d\\ude00<>&"}',
      ]);
      await readable(s, "auth/role/list", ["{}"]);
      await refused(s, "auth/role/add", [
        '{"name":1}',
        '{"name":["r"]}',
        '{"name":"\\ud800"}',
        '{"name":"\\x"}',
        '{"name":"a\nb"}',
      ]);
      await unreadable(s, "auth/role/add", Buffer.from('{"name":"\xff"}', "latin1"), { as: "no UTF-8" });
      await refused(s, "kv/txn", [
        '{"success":{}}',
        '{"success":[null]}',
        '{"success":[1]}',
        '{"success":[{"request_range":{"key":"YQ=="},"request_put":{"key":"YQ=="}}]}',
        '{"success":[{"request_range":[]}]}',
        '{"success":[{"request_range":1}]}',
        '{"compare":[{"version":"1","value":"YQ=="}]}',
        '{"compare":[{"version":"1","lease":2}]}',
      ]);
      await readable(s, "kv/txn", [
        '{"success":[{"request_range":{"key":"YQ=="},"request_put":null}]}',
        '{"compare":[{"key":"YQ==","target":"VERSION","version":"0"}]}',
        '{"success":[]}',
      ]);
      await refused(s, "cluster/member/add", ['{"peerURLs":"x"}', '{"peerURLs":[1]}', '{"peerURLs":[null]}']);
    },
    otherWords(named("auth/role/add", '{"name":"\\ud800"}'), named("auth/role/add", '{"name":"\\x"}'), "no UTF-8"),
  ),
  script("HTTP-4", "what is nested deeply", async (s) => {
    const nested = (depth: number): string => `${'{"success":[{"request_txn":'.repeat(depth)}{}${"}]}".repeat(depth)}`;
    for (const depth of [1, 5, 30]) {
      (await post(s, "kv/txn", nested(depth), { as: `txn ${depth}` })).shows(200, {});
    }
    const ignored = (depth: number): string => `{"key":"${a}","x":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    for (const depth of [10, 1000, 9000]) {
      (await post(s, "kv/range", ignored(depth), { as: `ignored ${depth}` })).shows(200, {});
    }
    await unreadable(s, "kv/range", ignored(20_000), { as: "ignored 20000" });
  }),
];

const outputs = [
  script("HTTP-4", "what is empty is left out, what is chosen is not", async (s) => {
    (await post(s, "kv/put", { key: a })).shows(200, {});
    const put = { request_put: { key: base64("b") } };
    await post(s, "kv/txn", { success: [put, { request_delete_range: { key: base64("x") } }, { request_txn: {} }] });
    (await post(s, "kv/range", { key: a })).shows(200, { kvs: [{ key: a, version: "1" }] });
    await s.put("\0\xff<>&", '\x7f\r\n"\\');
    (await post(s, "kv/range", { key: base64("\0"), range_end: base64("\x01") })).shows(200, { count: "1" });
    await s.unary("etcdserverpb.Maintenance/Alarm", { action: "ACTIVATE", alarm: 9, memberID: 1 });
    (await post(s, "maintenance/alarm")).shows(200, { alarms: [{ memberID: "1", alarm: 9 }] });
  }),
];

/** Any JSON value in the place of any field of a range: what is understood must be understood alike, with the same result. */
const values = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
  { weight: 2, arbitrary: fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String) },
  { weight: 2, arbitrary: fc.base64String({ maxLength: 8 }) },
  fc.constantFrom("ASCEND", "DESCEND", "KEY", "VALUE", "MOD"),
  fc.integer({ min: -3, max: 6 }),
  fc.double(),
);
const names = [
  ...["key", "range_end", "rangeEnd", "limit", "revision", "sort_order", "sortTarget", "serializable", "keys_only"],
  ...["count_only", "min_mod_revision", "maxModRevision", "min_create_revision", "unknown"],
];
const ranges = fc.dictionary(fc.constantFrom(...names), values, { maxKeys: 4 });
const randomBodies = 300;

const random = [
  script("HTTP-4", "random values in the fields of a range", async (s) => {
    for (const [key, value] of ["a", "b", "c", "\xfb"].entries()) {
      await s.put(value, String(key));
    }
    let understood = 0;
    for (const [index, fields] of fc.sample(ranges, { numRuns: randomBodies, seed: 7 }).entries()) {
      const body = JSON.stringify({ key: a, ...fields });
      const answer = await post(s, "kv/range", body, { as: `${index} ${body}` });
      understood += answer.status === 200 ? 1 : 0;
    }
    s.ok(understood > randomBodies / 10, `some are understood, got ${understood}`);
  }),
];

/** The scripts of this section. */
export const scripts = [...inputs, ...outputs, ...random];
