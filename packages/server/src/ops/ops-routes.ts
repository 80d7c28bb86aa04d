/** The operations pages: health, versions, metrics and the variables of the process (etcd-v3-wire.md 4.9). */
import { checkRoutes } from "./check-pages.js";
import { debugVars } from "./debug-vars.js";
import { HealthCounters } from "./health-counters.js";
import { healthRoute } from "./health-page.js";
import type { Scrape } from "./metrics/all-metrics.js";
import { metricsRoute } from "./metrics-page.js";
import type { OpsSources } from "./ops-sources.js";
import { clientDoors, page } from "./page.js";
import type { Route } from "./route.js";
import { versionBody } from "./versions.js";

export function opsRoutes(sources: OpsSources): Route[] {
  const counters = new HealthCounters();
  return [
    healthRoute(sources, counters),
    ...checkRoutes(sources, counters),
    metricsRoute(scrapeWhenAsked(sources, counters)),
    page("/version", clientDoors, (request) => {
      request.respond(200, [["content-type", "application/json"]], versionBody);
    }),
    page("/debug/vars", clientDoors, (request) => {
      request.respond(200, [["content-type", "application/json; charset=utf-8"]], debugVars(sources.context));
    }),
  ];
}

/** The library that formats metrics is loaded when they are first asked for: a start need not wait for it. */
function scrapeWhenAsked(sources: OpsSources, counters: HealthCounters): Scrape {
  let scrape: Promise<Scrape> | undefined;
  return async () => {
    scrape ??= import("./metrics/all-metrics.js").then(({ scraper }) => scraper(sources, counters));
    return (await scrape)();
  };
}
