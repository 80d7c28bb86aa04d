// Rules that no script and no other test shows, and why: the table of rules says it where it would else say nothing.

/** By rule. A rule that gains a proof has to go from here; a test sees to it. */
export const leftOut: Readonly<Record<string, string>> = {
  "CTL-6": "times after which etcdctl gives up; nothing a server could answer differently",
  "K8S-15": "times after which the API server pings; nothing a server could answer differently",
};
