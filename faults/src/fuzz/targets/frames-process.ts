/** HTTP/2 connections to a real server (fault model F41, F42, F45): its own services, sockets of the system. */
import { type AnyMethodDescriptor, methodsByPath } from "@holdfast/protocol";
import { FrameStream } from "../frame-stream.js";
import { honestRange } from "../honest-range.js";
import { ProcessTarget } from "../process-target.js";
import type { Random } from "../random.js";
import { damagedMessage, validMessage } from "../wire-message.js";

/** Would turn the honest caller away as well. */
const leftOut = ["/etcdserverpb.Auth/AuthEnable"];
const paths = [...methodsByPath.keys()].filter((path) => !leftOut.includes(path));

export class FramesProcessTarget extends ProcessTarget {
  readonly name = "frames-process";

  protected bytesOf(random: Random): Buffer {
    return new FrameStream(random, paths, messageTo).bytes();
  }

  protected honestUse(endpoint: string): Promise<void> {
    return honestRange(endpoint);
  }
}

function messageTo(path: string, random: Random): Buffer {
  const { request } = methodsByPath.get(path) ?? (methodsByPath.get(paths[0] ?? "") as AnyMethodDescriptor);
  return random.chance(3) ? damagedMessage(request, random) : validMessage(request, random);
}
