import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { authService, etcdErrors } from "@holdfast/protocol";
import { addUser, logIn } from "../testing/secured.js";
import { rejectsAs } from "../testing/status-error.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { start } from "../testing/test-server.js";

const auth = authService.methods;

test("AUTH-9, AUTH-10: users outlive a restart; simple tokens do not, signed ones do until users change", async (t) => {
  const keys = temporaryFolder();
  const privateKeyFile = join(keys, "key.pem");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(privateKeyFile, privateKey.export({ type: "pkcs8", format: "pem" }));
  for (const token of ["simple", { signMethod: "ES256", privateKeyFile }] as const) {
    const options = { dataDir: temporaryFolder(), auth: { passwordCost: 4, token } };
    const before = await start(t, options);
    await before.client.call(auth.userAdd, { name: "root", password: "root" });
    await before.client.call(auth.userGrantRole, { user: "root", role: "root" });
    await addUser(before.client, "ann", [["rw", "a"]]);
    await before.client.call(auth.authEnable);
    const annsToken = await logIn(before.client, "ann");
    await before.client.withToken(annsToken).put("a", "1");
    await before.server.stop();

    const { client } = await start(t, options);
    await rejectsAs(client.range("a"), etcdErrors.userEmpty);
    const ann = client.withToken(annsToken);
    if (token === "simple") await rejectsAs(ann.range("a"), etcdErrors.invalidAuthToken);
    else {
      await ann.put("a", "2");
      await client.withToken(await logIn(client, "root")).call(auth.roleAdd, { name: "new" });
      // AUTH-11: what takes keys looks at the revision, what takes role root does not.
      await rejectsAs(ann.range("a"), etcdErrors.authOldRevision);
      await rejectsAs(ann.put("a", "3"), etcdErrors.authOldRevision);
      await rejectsAs(ann.call(auth.userList), etcdErrors.permissionDenied);
    }
    const again = client.withToken(await logIn(client, "ann"));
    assert.ok((await again.get("a")) !== undefined);
  }
});
