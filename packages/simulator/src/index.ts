export type * from "./history/history.js";
