// `etcd3gw` in a virtual environment of its own, made in this folder.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** @type {import("../driver/suites.mjs").Suite} */
export const suite = {
  needs: ["python3"],
  unavailable: () =>
    spawnSync("python3", ["-c", "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))"]).status === 0
      ? undefined
      : "no python3 of at least 3.10 with venv",
  build: ({ folder }) => [
    ...(existsSync(join(folder, ".venv/bin/pip")) ? [] : [{ command: "python3", args: ["-m", "venv", ".venv"] }]),
    { command: ".venv/bin/pip", args: ["install", "--quiet", "--requirement", "requirements.txt"] },
  ],
  run: () => ({ command: ".venv/bin/python", args: ["main.py"] }),
  buildDeadlineSeconds: 180,
  runDeadlineSeconds: 120,
};
