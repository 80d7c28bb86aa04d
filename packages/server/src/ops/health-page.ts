/** `/health`: alarms, then a read; one line of JSON (HTTP-2). */
import { type AlarmMember, AlarmType } from "@holdfast/protocol";
import type { PlainRequest } from "@holdfast/transport";
import type { HealthCounters } from "./health-counters.js";
import type { OpsSources } from "./ops-sources.js";
import { everyDoor, guessedTextHeaders, page, queryOf, textHeaders } from "./page.js";
import type { Route } from "./route.js";
import { trialRead } from "./trial-read.js";

export function healthRoute({ context }: OpsSources, counters: HealthCounters): Route {
  const { replica, environment } = context;
  return page("/health", everyDoor, (request) => {
    const query = queryOf(request);
    const answer = (reason: string): void => {
      counters.countHealth(reason === "");
      answerHealth(request, reason);
    };
    const alarm = alarmReason(replica.machine.alarms(), query.getAll("exclude"));
    if (alarm !== undefined) {
      answer(alarm);
      return;
    }
    const serializable = query.get("serializable") === "true";
    trialRead({ replica, environment, serializable }, (error) => {
      answer(error === undefined ? "" : `RANGE ERROR:${error}`);
    });
  });
}

/** The first alarm that the request does not ask to pass over. etcd takes any of them, so the order is ours: NOSPACE first. */
function alarmReason(alarms: readonly AlarmMember[], excluded: readonly string[]): string | undefined {
  const names = new Set(
    alarms.filter(({ alarm }) => !excluded.includes(nameOf(alarm) ?? String(alarm))).map(({ alarm }) => nameOf(alarm)),
  );
  if (names.size === 0) return undefined;
  return `ALARM ${["NOSPACE", "CORRUPT"].find((name) => names.has(name)) ?? "UNKNOWN"}`;
}

/** Undefined for kinds without a name; their number is what excludes them. */
function nameOf(alarm: AlarmType): string | undefined {
  if (alarm === AlarmType.NOSPACE) return "NOSPACE";
  return alarm === AlarmType.CORRUPT ? "CORRUPT" : undefined;
}

/** Only the bad answer ends with a line feed and a strict type: etcd writes it as an error. */
function answerHealth(request: PlainRequest, reason: string): void {
  const body = JSON.stringify({ health: reason === "" ? "true" : "false", reason });
  if (reason === "") request.respond(200, guessedTextHeaders, body);
  else request.respond(503, textHeaders, `${body}\n`);
}
