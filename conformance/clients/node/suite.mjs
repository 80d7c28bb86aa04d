// The npm package `etcd3`, at the version that the conformance workspace depends on.

/** @type {import("../driver/suites.mjs").Suite} */
export const suite = {
  needs: ["node"],
  run: () => ({ command: "node", args: ["main.mjs"] }),
  buildDeadlineSeconds: 1,
  runDeadlineSeconds: 120,
};
