/**
 * Coverage marks: named places that the whole set of seeds must reach, else the simulation is too tame. They are told from
 * what can be observed, never by hooks in the server.
 */

export interface Mark {
  readonly name: string;
  /** What has been seen where it is counted. */
  readonly means: string;
}

export const marks: readonly Mark[] = [
  { name: "tail-cut", means: "F3: a torn tail was cut when the log was opened" },
  { name: "snapshot-used", means: "F5: a life began from a snapshot" },
  { name: "snapshot-passed-over", means: "F5: the newest snapshot was damaged, and the one before it was used" },
  { name: "snapshot-written", means: "F5: a snapshot was written and older entries discarded" },
  { name: "segment-discarded", means: "F5: a full segment was given up because snapshots stand for its entries" },
  { name: "snapshot-failed", means: "F6: a snapshot could not be written, and serving went on" },
  { name: "no-space", means: "F6: the disk had no room for something new" },
  { name: "append-refused-full", means: "F6: an entry was refused for want of room" },
  { name: "short-write", means: "F6: a write took only a part" },
  { name: "append-unknown", means: "F7: nobody could say whether an entry was stored" },
  { name: "stopped-by-itself", means: "F7, I11: a server stopped after its storage had failed" },
  { name: "slow-disk", means: "F8: syncs took seconds" },
  { name: "queue-full", means: "F8: a call was refused because too many proposals waited" },
  { name: "killed", means: "F1: a server was killed" },
  { name: "killed-in-operation", means: "F1: a server died within a disk operation" },
  { name: "recovery-killed", means: "F1: a server died before it served" },
  { name: "power-cut", means: "F2: the power was cut" },
  { name: "stall-detected", means: "F13: a tick of the lease clock came late and ended no lease" },
  { name: "clock-stood-still", means: "F12: a server was suspended together with its clock" },
  {
    name: "half-open-closed-by-ping",
    means: "F19: a connection whose client had vanished was closed by a ping without answer",
  },
  { name: "stalled-answer", means: "F20: an answer that its client did not take was given up" },
  { name: "lease-expired", means: "I6: a lease ended because nobody refreshed it" },
  { name: "keepalive-refused-by-end", means: "I7: a refresh waited for the end of its lease and was refused by it" },
  { name: "watcher-overtaken", means: "I8: compaction overtook a watcher that was behind" },
  { name: "watch-resumed", means: "I8: a watch went on where another had ended" },
  { name: "lock-waited", means: "I4: a lock or an election was granted to somebody who had waited" },
  {
    name: "unfenced-overlap",
    means: "I5: a resource that does not look at tokens took a write of an older holder after a newer one",
  },
  { name: "call-unknown", means: "section 4: a client was left without an answer" },
  { name: "closed-under-load", means: "F63: a server closed in order while calls were open" },
  { name: "halted", means: "F4, I11: a server refused what was not what it had written" },
];
