/**
 * Where the versions of a key before its latest are, oldest first: a list that grows at one end and shrinks at the other.
 */
export class EarlierPlaces {
  #places: number[];
  /** How many at the front were dropped. */
  #dropped = 0;

  constructor(first: number, second: number) {
    this.#places = [first, second];
  }

  get length(): number {
    return this.#places.length - this.#dropped;
  }

  at(index: number): number {
    return this.#places[this.#dropped + index]!;
  }

  push(place: number): void {
    this.#places.push(place);
  }

  /** Removes the oldest; there must be one. */
  dropFirst(): void {
    this.#dropped += 1;
    if (this.#dropped * 2 <= this.#places.length) return;
    this.#places = this.#places.slice(this.#dropped);
    this.#dropped = 0;
  }

  /** The oldest has moved. */
  moveFirst(place: number): void {
    this.#places[this.#dropped] = place;
  }
}
