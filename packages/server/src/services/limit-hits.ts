/** How often a limit of the services or the replica turned something away, under the name of its option. */
export const countedLimits = [
  "waitingProposals",
  "waitingBytes",
  "requestBytes",
  "requestItemsMax",
  "transactionOperations",
  "transactionAnswerBytesMax",
  "transactionKeysMax",
  "leasesTotal",
  "keysPerLease",
  "watchersPerStream",
  "watchersPerConnection",
  "watchersTotal",
  "snapshotsAtOnce",
] as const;
export type CountedLimit = (typeof countedLimits)[number];

export class LimitHits {
  readonly #counts = new Map<CountedLimit, number>(countedLimits.map((limit) => [limit, 0]));

  count(limit: CountedLimit): void {
    this.#counts.set(limit, this.of(limit) + 1);
  }

  of(limit: CountedLimit): number {
    return this.#counts.get(limit) ?? 0;
  }
}
