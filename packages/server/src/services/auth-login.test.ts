import assert from "node:assert/strict";
import { test } from "node:test";
import { openMemoryLog } from "@holdfast/log";
import { authService, createUserAddOptions, etcdErrors, etcdTexts, StatusCode } from "@holdfast/protocol";
import { passwordCostMin } from "../access/password-hash.js";
import { Passwords } from "../access/passwords.js";
import { defaultServiceLimits } from "../limits.js";
import { logIn, startSecured } from "../testing/secured.js";
import { Services } from "../testing/services.js";
import { rejectsAs, rejectsWith, StatusError } from "../testing/status-error.js";

const auth = authService.methods;

test("AUTH-4: nobody can log in while authentication is off", async (t) => {
  const client = await (await Services.start(t)).connect();
  await rejectsAs(client.call(auth.authenticate, { name: "root", password: "x" }), etcdErrors.authNotEnabled);
});

test("AUTH-7, F47: a wrong password, a user without one and an unknown user are refused alike, after the same work", async (t) => {
  const { root, anonymous, services } = await startSecured(t, { ann: [] });
  const options = createUserAddOptions({ noPassword: true });
  await root.call(auth.userAdd, { name: "certified", options });
  const { passwords } = services.context.access;
  for (const name of ["ann", "certified", "nobody", ""]) {
    const login = anonymous.call(auth.authenticate, { name, password: "wrong" });
    let worked = false;
    const watch = (): void => {
      worked ||= passwords.underWay > 0;
    };
    const ended = login.catch(() => undefined).then(() => true);
    while (!(await Promise.race([ended, new Promise((resolve) => setImmediate(resolve, false))]))) watch();
    await rejectsAs(login, etcdErrors.authFailed);
    assert.ok(worked, name);
  }
});

test("AUTH-9: a token is letters, a dot and a number; it lives 300 s from its last use", async (t) => {
  const { anonymous, services } = await startSecured(t, { ann: [["r", "a"]] });
  const token = await logIn(anonymous, "ann");
  assert.match(token, /^[A-Za-z]{16}\.\d+$/);
  const ann = anonymous.withToken(token);
  for (let i = 0; i < 3; i++) {
    services.time.advance(299_000);
    await ann.get("a");
  }
  services.time.advance(301_000);
  await rejectsAs(ann.range("a"), etcdErrors.invalidAuthToken);
});

test("AUTH-9: deleting the user or changing the password voids the tokens, a change of roles does not", async (t) => {
  const { root, as } = await startSecured(t, { ann: [["r", "a"]], bob: [["r", "a"]] });
  const [ann, bob] = [await as("ann"), await as("bob")];
  await root.call(auth.roleAdd, { name: "more" });
  await root.call(auth.userGrantRole, { user: "ann", role: "more" });
  await ann.get("a");
  await root.call(auth.userChangePassword, { name: "ann", password: "ann" });
  await root.call(auth.userDelete, { name: "bob" });
  await rejectsAs(ann.range("a"), etcdErrors.invalidAuthToken);
  await rejectsAs(bob.range("a"), etcdErrors.invalidAuthToken);
  await (await as("ann")).get("a");
});

test("AUTH-6: disabling voids all tokens", async (t) => {
  const { root, anonymous, as } = await startSecured(t);
  await root.call(auth.authDisable);
  await anonymous.call(auth.authEnable);
  await rejectsAs(root.range("a"), etcdErrors.invalidAuthToken);
  await (await as("root")).range("a");
});

test("AUTH-14: any string is a password: empty, long, of any script", async (t) => {
  const { root, anonymous } = await startSecured(t);
  for (const [i, password] of ["", "p".repeat(300), "käse 🧀"].entries()) {
    await root.call(auth.userAdd, { name: `u${i}`, password });
    await logIn(anonymous, `u${i}`, password);
    await rejectsAs(
      anonymous.call(auth.authenticate, { name: `u${i}`, password: `${password}x` }),
      etcdErrors.authFailed,
    );
  }
});

test("AUTH-15: who was given the empty password later cannot log in", async (t) => {
  const { root, anonymous } = await startSecured(t, { ann: [] });
  await root.call(auth.userChangePassword, { name: "ann", password: "" });
  for (const password of ["", "ann"]) {
    await rejectsAs(anonymous.call(auth.authenticate, { name: "ann", password }), etcdErrors.authFailed);
  }
});

test("AUTH-14: a hash made elsewhere is taken over if it can be checked, else refused", async (t) => {
  const { root, anonymous } = await startSecured(t, { ann: [] });
  const passwords = new Passwords(passwordCostMin + 1, defaultServiceLimits);
  const change = (hash: string): Promise<unknown> => {
    const hashedPassword = Buffer.from(hash).toString("base64");
    return root.call(auth.userChangePassword, { name: "ann", hashedPassword });
  };
  await rejectsAs(change("$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"), etcdTexts.noPasswordUser);
  // One that would keep a thread busy for hours.
  const endless = `$scrypt$ln=14,r=8,p=999999$${"A".repeat(22)}$${"B".repeat(43)}`;
  await rejectsAs(change(endless), etcdTexts.noPasswordUser);
  await logIn(anonymous, "ann");
  await change(await passwords.hash("from elsewhere", () => true));
  await logIn(anonymous, "ann", "from elsewhere");
});

test("AUTH-14: no password reaches the log, and no refusal repeats one", async (t) => {
  const log = await openMemoryLog();
  const entries: string[] = [];
  const append = log.append.bind(log);
  Object.assign(log, {
    append: (...[payload, done]: Parameters<typeof append>) => {
      entries.push(Buffer.from(payload).toString("latin1"));
      append(payload, done);
    },
  });
  const { root, anonymous } = await startSecured(t, {}, { log });
  const password = "correct horse battery staple";
  await root.call(auth.userAdd, { name: "ann", password });
  await root.call(auth.userChangePassword, { name: "ann", password: `${password}!` });
  await logIn(anonymous, "ann", `${password}!`);
  const refused = await anonymous.call(auth.authenticate, { name: "ann", password }).catch((error: unknown) => error);
  assert.ok(refused instanceof StatusError && !refused.message.includes(password));
  assert.ok(entries.some((entry) => entry.includes("$scrypt$")));
  for (const entry of entries) assert.ok(!entry.includes(password));
});

test("LIMIT passwordHashesWaiting, F49, AUTH-14: passwords beyond those that may wait are refused as too many requests", async (t) => {
  const serviceLimits = { passwordHashesAtOnce: 1, passwordHashesWaiting: 2 };
  const { anonymous } = await startSecured(t, { ann: [] }, { serviceLimits });
  const calls = Array.from({ length: 20 }, () =>
    anonymous.call(auth.authenticate, { name: "ann", password: "ann" }).then(
      () => "in",
      (error: StatusError) => error.message,
    ),
  );
  const outcomes = new Set(await Promise.all(calls));
  const { code, message } = etcdErrors.requestTooManyRequests;
  assert.deepEqual(outcomes, new Set(["in", `${code}: ${message}`]));
  await logIn(anonymous, "ann");
});

test("AUTH-20: hashing is not for those who may not change a password", async (t) => {
  const { anonymous, as, services } = await startSecured(t, { ann: [] });
  const ann = await as("ann");
  const { passwords } = services.context.access;
  let hashed = 0;
  const hash = passwords.hash.bind(passwords);
  Object.assign(passwords, {
    hash: (...args: Parameters<typeof hash>) => {
      hashed++;
      return hash(...args);
    },
  });
  await rejectsAs(ann.call(auth.userAdd, { name: "x", password: "x" }), etcdErrors.permissionDenied);
  await rejectsAs(anonymous.call(auth.userChangePassword, { name: "ann", password: "x" }), etcdErrors.userEmpty);
  assert.equal(hashed, 0);
});

test("AUTH-7: a password that was changed while it was checked is checked anew", async (t) => {
  const { root, anonymous, services } = await startSecured(t, { ann: [] });
  const { passwords } = services.context.access;
  const matches = passwords.matches.bind(passwords);
  let checks = 0;
  Object.assign(passwords, {
    matches: async (...args: Parameters<typeof matches>) => {
      const result = await matches(...args);
      if (++checks === 1) await root.call(auth.userChangePassword, { name: "ann", password: "new" });
      return result;
    },
  });
  await rejectsAs(anonymous.call(auth.authenticate, { name: "ann", password: "ann" }), etcdErrors.authFailed);
  assert.equal(checks, 2);
});

test("F49: who has failed too often is told to come later, right password or wrong, user or not, before any work is done", async (t) => {
  const serviceLimits = { loginFailuresPerUser: 2, loginBackoffMinMs: 1_000 };
  const { anonymous, services, as } = await startSecured(t, { ann: [] }, { serviceLimits });
  const { logins } = services.context.access;
  const attempt = (name: string, password: string): Promise<unknown> =>
    anonymous.call(auth.authenticate, { name, password });
  for (const name of ["ann", "nobody"]) {
    for (let i = 0; i < 3; i++) await rejectsAs(attempt(name, "wrong"), etcdErrors.authFailed);
    const { failed } = logins.counters;
    const { code, message } = etcdErrors.requestTooManyRequests;
    assert.equal(code, StatusCode.resourceExhausted);
    for (const password of ["wrong", name]) await rejectsWith(attempt(name, password), code, message);
    assert.equal(logins.counters.failed, failed);
  }
  await as("root");
  services.time.advance(1_000);
  await as("ann");
  await rejectsAs(attempt("nobody", "wrong"), etcdErrors.authFailed);
  const { refusedClient, granted } = logins.counters;
  assert.deepEqual([refusedClient, granted], [4, 3]);
});

test("F49: who fails often has what still waits refused; who has logged in before gets past a full queue", async (t) => {
  const serviceLimits = { passwordHashesAtOnce: 1, passwordHashesWaiting: 20, loginFailuresPerUser: 2 };
  const { anonymous, as, services } = await startSecured(t, { ann: [] }, { serviceLimits });
  await as("ann");
  const { code, message } = etcdErrors.requestTooManyRequests;
  const attempt = (name: string, password: string): Promise<string> =>
    anonymous.call(auth.authenticate, { name, password }).then(
      () => "in",
      (error: StatusError) => error.message,
    );
  const guesses = Array.from({ length: 30 }, () => attempt("nobody", "guess"));
  const known = attempt("ann", "ann");
  const outcomes = await Promise.all(guesses);
  assert.equal(await known, "in");
  const refused = outcomes.filter((outcome) => outcome === `${code}: ${message}`).length;
  const { refusedClient, refusedBusy, failed } = services.context.access.logins.counters;
  // The third failure ends it; by then one more may have been begun.
  assert.ok(failed === 3 || failed === 4, String(failed));
  assert.deepEqual([refused, refusedClient + refusedBusy], [30 - failed, 30 - failed]);
  assert.ok(refusedClient > 0 && refusedBusy > 0);
});
