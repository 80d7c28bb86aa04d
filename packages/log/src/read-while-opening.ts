/**
 * Hands what an engine verifies on to whoever wants the state that the log stands for, so that opening a log and reading it
 * are one pass over the files.
 */

import type { Chain } from "./chain.js";
import type { EngineListener } from "./engine.js";
import { FRAME_KIND } from "./entry-frame.js";
import type { LogReader } from "./log.js";

/** `listener`, whose `verify` checks with `chain`; what it finds right goes to `reader` as `Log.replay` would hand it out. */
export function readWhileOpening(listener: EngineListener, chain: Chain, reader: LogReader): EngineListener {
  let snapshotIndex = 0;
  let chunks = 0;
  const begin = (index: number): void => {
    snapshotIndex = index;
    chunks = 0;
    reader.begin(index);
  };
  begin(0);
  return {
    ...listener,
    verify(index, bytes) {
      const reason = listener.verify(index, bytes);
      if (reason !== undefined || index <= snapshotIndex) return reason;
      const { kind, epoch, payload } = chain.checked!;
      if (kind === FRAME_KIND.batch && !chain.isOvertaken(index)) reader.entry({ index, epoch, payload });
      return undefined;
    },
    snapshot: {
      begin,
      chunk(bytes) {
        chunks += 1;
        // The first one is the log's own.
        if (chunks > 1) reader.chunk(bytes);
      },
    },
  };
}
