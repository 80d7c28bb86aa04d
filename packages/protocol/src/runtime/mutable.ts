/**
 * A type helper of the generated decoders.
 */

/** `T` while it is being built: its properties can be assigned. Lists and maps stay as they are typed. */
export type Mutable<T> = { -readonly [Property in keyof T]: T[Property] };
