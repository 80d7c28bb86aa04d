/** Attacks on the port, by the layer they aim at. */
import type { Suite } from "../scenario.js";
import { collidingKeyScenarios } from "./colliding-keys.js";
import { connectionScenarios } from "./connections.js";
import { greedyScenarios } from "./greedy.js";
import { http1Scenarios } from "./http1.js";
import { controlScenarios } from "./http2-control.js";
import { flowScenarios } from "./http2-flow.js";
import { headerScenarios } from "./http2-headers.js";
import { resetScenarios } from "./http2-resets.js";
import { messageScenarios } from "./messages.js";
import { oddScenarios } from "./odd-requests.js";
import { slowScenarios } from "./slow.js";
import { tlsScenarios } from "./tls.js";

export const http2Attacks: Suite = {
  name: "attacks-http2",
  summary: "attackers that misuse HTTP/2: resets and header blocks (F28 to F32)",
  scenarios: [...resetScenarios, ...headerScenarios],
};

export const controlAttacks: Suite = {
  name: "attacks-control",
  summary: "attackers that flood HTTP/2 with frames that carry no message (F33 to F36)",
  scenarios: controlScenarios,
};

export const flowAttacks: Suite = {
  name: "attacks-flow",
  summary: "attackers that take no answers, open streams without end, or will not go (F37 to F41)",
  scenarios: flowScenarios,
};

export const connectionAttacks: Suite = {
  name: "attacks-connections",
  summary: "floods of connections, and requests that are none (F25, F42)",
  scenarios: [...connectionScenarios, ...oddScenarios],
};

export const slowAttacks: Suite = {
  name: "attacks-slow",
  summary: "clients that take for ever, in every phase (F26)",
  scenarios: slowScenarios,
};

export const messageAttacks: Suite = {
  name: "attacks-messages",
  summary: "messages that lie about their size, unfold, or are none, and keys that collide (F44 to F46)",
  scenarios: [...messageScenarios, ...collidingKeyScenarios],
};

export const greedyAttacks: Suite = {
  name: "attacks-greedy",
  summary: "requests that ask for very much, or are of very many parts (F14, F45)",
  scenarios: greedyScenarios,
};

export const http1Attacks: Suite = {
  name: "attacks-http1",
  summary: "attackers of the JSON gateway, of HTTP/1.1 and of WebSockets (F37, F44, F45)",
  scenarios: http1Scenarios,
};

export const tlsAttacks: Suite = {
  name: "attacks-tls",
  summary: "attackers of TLS: stalled, broken and repeated handshakes (F25, F26, F42)",
  scenarios: tlsScenarios,
};

/** All of them, with the file that each is defined in. */
export const attackSuites: readonly { readonly suite: Suite; readonly file: string }[] = [
  { suite: http2Attacks, file: "faults/src/attacks/http2-resets.ts" },
  { suite: controlAttacks, file: "faults/src/attacks/http2-control.ts" },
  { suite: flowAttacks, file: "faults/src/attacks/http2-flow.ts" },
  { suite: connectionAttacks, file: "faults/src/attacks/connections.ts" },
  { suite: slowAttacks, file: "faults/src/attacks/slow.ts" },
  { suite: messageAttacks, file: "faults/src/attacks/messages.ts" },
  { suite: greedyAttacks, file: "faults/src/attacks/greedy.ts" },
  { suite: http1Attacks, file: "faults/src/attacks/http1.ts" },
  { suite: tlsAttacks, file: "faults/src/attacks/tls.ts" },
];
