/**
 * Says whether a cost stays flat while something grows.
 *
 * Each cost is compared with the cheapest one at any smaller size, so that a slow rise adds up and an expensive small size
 * (no batching yet) excuses nothing. Caches that no longer hold everything may double a cost; what must be caught, a cost
 * that grows with the size, makes it tenfold in one decade.
 */

/** A cost above so many times the cheapest at a smaller size is not flat. */
export const flatFactorMax = 2;

/** What an operation costs at one size. */
export interface Point {
  readonly size: number;
  readonly microseconds: number;
}

/** What `judgeFlatness` found. */
export interface Flatness {
  readonly isFlat: boolean;
  /** The largest cost divided by the cheapest at a smaller size; 1 where nothing costs more than at a smaller size. */
  readonly factor: number;
  /** Between which sizes. */
  readonly from: number;
  readonly to: number;
}

/** Judges points in ascending order of their size. */
export function judgeFlatness(points: readonly Point[]): Flatness {
  let cheapest = points[0];
  let worst = { factor: 1, from: cheapest?.size ?? 0, to: cheapest?.size ?? 0 };
  for (const point of points) {
    if (cheapest === undefined) break;
    const factor = point.microseconds / cheapest.microseconds;
    if (factor > worst.factor) worst = { factor, from: cheapest.size, to: point.size };
    if (factor < 1) cheapest = point;
  }
  return { ...worst, isFlat: worst.factor <= flatFactorMax };
}
