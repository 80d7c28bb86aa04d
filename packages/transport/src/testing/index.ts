/**
 * What tests of other packages, and the fuzzers, may use of this one: its HPACK codec apart from connections, a socket
 * without a network, frames as bytes, and a clock that is moved by hand.
 */
export { HeaderBlockWriter, type HeaderList, HpackDecoder, HpackEncoder, HpackError } from "../hpack/index.js";
export { ManualClock } from "./manual-clock.js";
export { MemorySocket } from "./memory-socket.js";
export {
  Code,
  data,
  Flag,
  frame,
  message,
  PREFACE,
  requestFields,
  reset,
  settings,
  Type,
  uint32,
  windowUpdate,
} from "./raw-frames.js";
