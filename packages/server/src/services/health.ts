/** grpc.health.v1.Health: the server as a whole is the one service it knows, serving once the port is open. */
import {
  encodeHealthCheckResponse,
  encodeHealthListResponse,
  healthService,
  ServingStatus,
  StatusCode,
} from "@holdfast/protocol";
import type { Method } from "@holdfast/transport";
import type { ServiceContext } from "./context.js";
import { serverStream, unary } from "./method.js";

const methods = healthService.methods;
const notFound = { code: StatusCode.notFound, message: "unknown service" };
const serving = { status: ServingStatus.SERVING };

export function healthMethods(context: ServiceContext): Method[] {
  return [
    unary(context, methods.check, (request, call) => {
      if (request.service === "") call.reply(encodeHealthCheckResponse(serving));
      else call.end(notFound);
    }),
    unary(context, methods.list, (_request, call) => {
      call.reply(encodeHealthListResponse({ statuses: new Map([["", serving]]) }));
    }),
    // The stream stays open: a status is sent again only when it changes, and while we answer we serve.
    serverStream(context, methods.watch, (request, call) => {
      const status = request.service === "" ? ServingStatus.SERVING : ServingStatus.SERVICE_UNKNOWN;
      context.openCalls.add(call, () => {});
      call.send(encodeHealthCheckResponse({ status }));
    }),
  ];
}
