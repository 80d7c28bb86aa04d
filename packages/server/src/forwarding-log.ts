/** A log that hands everything on to another: for those that change or watch only some of its calls. */
import type { AppendResult, Log, LogEntry, LogSnapshot, LogUsage } from "@holdfast/log";

export class ForwardingLog implements Log {
  protected readonly log: Log;

  constructor(log: Log) {
    this.log = log;
  }

  get identity(): string {
    return this.log.identity;
  }

  get payloadBytesMax(): number {
    return this.log.payloadBytesMax;
  }

  get lastIndex(): number {
    return this.log.lastIndex;
  }

  get epoch(): number {
    return this.log.epoch;
  }

  get snapshot(): LogSnapshot | undefined {
    return this.log.snapshot;
  }

  replay(afterIndex: number, visit: (entry: LogEntry) => void): Promise<void> {
    return this.log.replay(afterIndex, visit);
  }

  acquire(): Promise<number> {
    return this.log.acquire();
  }

  append(payload: Uint8Array, done: (result: AppendResult) => void, reserveShare?: number): void {
    this.log.append(payload, done, reserveShare);
  }

  barrier(): Promise<void> {
    return this.log.barrier();
  }

  writeSnapshot(index: number, chunks: Iterable<Uint8Array>): Promise<void> {
    return this.log.writeSnapshot(index, chunks);
  }

  markForSnapshot(isSeparate?: boolean): Promise<number | undefined> {
    return this.log.markForSnapshot(isSeparate);
  }

  usage(): LogUsage {
    return this.log.usage();
  }

  close(): Promise<void> {
    return this.log.close();
  }
}
