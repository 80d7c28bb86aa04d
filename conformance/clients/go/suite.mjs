// How the Go client is built and run; what it checks is in the Go files. The program lands in `bin/`, which git ignores.

/** @type {import("../driver/suites.mjs").Suite} */
export const suite = {
  needs: ["go"],
  build: () => [
    {
      command: "go",
      args: ["build", "-o", "bin/holdfast-go-client", "."],
      env: { GOFLAGS: "-mod=readonly -buildvcs=false", GOWORK: "off" },
    },
  ],
  run: ({ folder }) => ({ command: `${folder}/bin/holdfast-go-client`, args: [] }),
  buildDeadlineSeconds: 600,
  runDeadlineSeconds: 180,
};
