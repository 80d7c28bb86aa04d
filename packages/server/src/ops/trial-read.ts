/**
 * The read with which the health pages try the server: one key, through the same steps as a client's read. What it
 * finds does not matter, only whether it comes to an end.
 */
import { type ByteString, createRangeRequest, etcdErrors } from "@holdfast/protocol";
import type { Environment, Replica } from "@holdfast/replica";

/** After so long a read counts as failed; etcd's time for a request, with its defaults. */
const readDeadlineMs = 7_000;
const tooLate = "context deadline exceeded";

const anyKey = createRangeRequest({ key: "\0" as ByteString, rangeEnd: "\0" as ByteString, limit: 1, keysOnly: true });

/** Called once, with what went wrong or with nothing. */
export type ReadEnd = (error: string | undefined) => void;

export interface TrialReadOptions {
  readonly replica: Replica;
  readonly environment: Environment;
  /** Content with what is applied here; else with nothing older than this call. */
  readonly serializable: boolean;
}

export function trialRead({ replica, environment, serializable }: TrialReadOptions, done: ReadEnd): void {
  if (serializable) {
    done(readNow(replica));
    return;
  }
  let ended = false;
  const end: ReadEnd = (error) => {
    if (ended) return;
    ended = true;
    stopClock();
    done(error);
  };
  const stopClock = environment.every(readDeadlineMs, () => end(tooLate));
  replica.whenCurrent(() => end(readNow(replica)));
}

function readNow(replica: Replica): string | undefined {
  if (!replica.isServing) return etcdErrors.stopped.wireMessage;
  const outcome = replica.machine.range(anyKey);
  return outcome.kind === "refused" ? outcome.refusal : undefined;
}
