/** The reference model: the sequential meaning of the commands, written from the rules and sharing no code with the server. */
export * from "./apply.js";
export * from "./locks.js";
export { answerRange, rangeRefusal } from "./range.js";
export * from "./store.js";
export { decide, txnRefusal } from "./transaction.js";
