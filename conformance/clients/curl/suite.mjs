// How the JSON gateway is called with curl; what is checked is in the other files. Nothing to build.

/** @type {import("../driver/suites.mjs").Suite} */
export const suite = {
  needs: ["curl"],
  run: ({ target }) => ({ command: process.execPath, args: ["main.mjs"], env: { HOLDFAST_TARGET: target } }),
  buildDeadlineSeconds: 1,
  runDeadlineSeconds: 120,
};
