// jetcd, built by Maven into this folder's `target`.

import { join } from "node:path";

/** @type {import("../driver/suites.mjs").Suite} */
export const suite = {
  needs: ["java", "javac", "mvn"],
  build: () => [
    { command: "mvn", args: ["--batch-mode", "--quiet", "compiler:compile", "dependency:copy-dependencies"] },
  ],
  run: ({ folder }) => ({
    command: "java",
    args: ["-cp", [join(folder, "target/classes"), join(folder, "target/lib/*")].join(":"), "holdfast.clients.Main"],
  }),
  buildDeadlineSeconds: 300,
  runDeadlineSeconds: 150,
};
