import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { crc32 } from "node:zlib";
import { bundleFiles, compileBundle, hasPreloads, loadBundle } from "./load-bundle.js";

const text = Buffer.from('(function ($require, $moduleUrl) { return { url: $moduleUrl("holdfast", "dist/x.js") }; })');

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-bundle-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Given {
  readonly script?: Buffer;
  readonly code?: Buffer;
  readonly builds?: Record<string, number>;
}

/** A folder with a bundle; what is given is other than what the manifest says. */
function folderWith({ script = text, code, builds = {} }: Given): string {
  const folder = temporaryFolder();
  const sound = compileBundle(text).script.createCachedData();
  writeFileSync(join(folder, bundleFiles.script), script);
  writeFileSync(join(folder, bundleFiles.code), code ?? sound);
  writeFileSync(
    join(folder, bundleFiles.manifest),
    JSON.stringify({ script: crc32(text), code: crc32(sound), builds }),
  );
  return folder;
}

test("a bundle is run where it is sound and nothing was built since", () => {
  const folder = folderWith({});
  const built = join(folder, "built");
  writeFileSync(built, "");
  const { mtimeMs } = statSync(built);
  assert.match(JSON.stringify(loadBundle(folder)), /packages\/holdfast\/dist\/x\.js/);
  assert.notEqual(loadBundle(folderWith({ builds: { "absent/.tsbuildinfo": 1 } })), undefined);
  writeFileSync(
    join(folder, bundleFiles.manifest),
    JSON.stringify({ script: crc32(text), code: 0, builds: { built: mtimeMs } }),
  );
  assert.equal(loadBundle(folder), undefined);
});

test("one that is absent, damaged or older than what was built is passed over", () => {
  assert.equal(loadBundle(temporaryFolder()), undefined);
  assert.equal(loadBundle(folderWith({ script: Buffer.concat([text, Buffer.from(" ")]) })), undefined);
  assert.equal(loadBundle(folderWith({ code: Buffer.alloc(1000) })), undefined);
  const folder = folderWith({ builds: { [bundleFiles.script]: 1 } });
  assert.equal(loadBundle(folder), undefined);
});

test("whatever is loaded ahead of the program is recognised, other arguments of Node.js are not", () => {
  for (const arg of ["--import", "--import=./tap.mjs", "-r", "--require=x", "--loader", "--experimental-loader=x"]) {
    assert.ok(hasPreloads(["--cpu-prof", arg]), arg);
    assert.ok(hasPreloads([], `--max-old-space-size=100 ${arg} y`), arg);
  }
  assert.ok(!hasPreloads(["--cpu-prof", "--enable-source-maps"], "--max-old-space-size=100"));
});
