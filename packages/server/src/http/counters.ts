/** What is counted of HTTP/1.1, WebSockets and the JSON gateway, for the metrics. Changed in place; they only grow. */

export interface HttpCounters {
  /** Requests whose head and body were received, over HTTP/1.1. */
  requests: number;
  /** WebSockets opened. */
  webSockets: number;
  /** Requests that were no HTTP, or with a head that is too large. */
  malformedRequests: number;
  /** F26: connections closed because a head did not come in time. */
  headTimeouts: number;
  /** F26: requests whose body did not come in time. */
  bodyTimeouts: number;
  /** F44, F16: requests refused for the size of their body, or of all bodies. */
  bodiesTooLarge: number;
  /** F25: connections closed because they were idle. */
  idleTimeouts: number;
  /** F37: connections closed because the client took nothing of an answer, or too much of it waited. */
  stalledAnswers: number;
  /** F37: connections closed because too many requests waited behind one another. */
  pipelinesExceeded: number;
  /** F38: gateway calls refused because too many were open. */
  callsRefused: number;
  /** F37: answers replaced by 503 because too many bytes of answers waited for their clients. */
  answersRefused: number;
  /** Requests with a host name that is not allowed. */
  hostsRefused: number;
  /** WebSockets refused because their page is of an origin that is not allowed. */
  originsRefused: number;
}

export function newHttpCounters(): HttpCounters {
  return {
    requests: 0,
    webSockets: 0,
    malformedRequests: 0,
    headTimeouts: 0,
    bodyTimeouts: 0,
    bodiesTooLarge: 0,
    idleTimeouts: 0,
    stalledAnswers: 0,
    pipelinesExceeded: 0,
    callsRefused: 0,
    answersRefused: 0,
    hostsRefused: 0,
    originsRefused: 0,
  };
}
