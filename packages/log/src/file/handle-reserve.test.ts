/** F25 at the disk: handles that others have used up do not keep the log from opening its own files. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { HANDLES_RESERVED } from "../limits.js";
import { codeOf } from "./disk.js";
import { nodeDisk } from "./node-disk.js";

/** More would take long to use up. */
const handlesMax = 70_000;

function whyNot(): string | false {
  const { userLimits } = process.report.getReport() as unknown as {
    readonly userLimits?: { readonly open_files: { readonly soft: number | "unlimited" } };
  };
  const limit = Number(userLimits?.open_files.soft ?? "unlimited");
  return limit <= handlesMax ? false : `needs a limit of at most ${handlesMax} open files`;
}

/** Takes every handle the process may still have. @returns a function that gives them back. */
function useUpHandles(t: TestContext): () => void {
  const taken: number[] = [];
  const giveBack = (): void => {
    for (const handle of taken.splice(0)) fs.closeSync(handle);
  };
  t.after(giveBack);
  try {
    for (;;) taken.push(fs.openSync(devNull, "r"));
  } catch (error) {
    assert.equal(codeOf(error), "EMFILE");
  }
  return giveBack;
}

test("F25: with all handles used up, files are opened and listed from a reserve, which fills up again", {
  skip: whyNot(),
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-handles-"));
  const disk = nodeDisk();
  t.after(async () => {
    await disk.close();
    await rm(folder, { recursive: true, force: true });
  });
  const giveBack = useUpHandles(t);
  for (let round = 0; round < 2; round++) {
    const files = [];
    for (let number = 0; number < HANDLES_RESERVED; number++) {
      files.push(await disk.open("segment.create", join(folder, `${round}-${number}`), "create"));
    }
    await assert.rejects(disk.open("segment.create", join(folder, "one-more"), "create"), { code: "EMFILE" });
    for (const file of files) await file.close("handle.close");
    assert.equal((await disk.list("folder.list", folder)).length, HANDLES_RESERVED * (round + 1));
    await disk.syncFolder("folder.sync", folder);
  }
  giveBack();
});
