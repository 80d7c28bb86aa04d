/** The use that the fuzzers of a real server make of it now and then, to see that others are served. */
import { byteStringFromText, createRangeRequest, encodeRangeRequest, kvService } from "@holdfast/protocol";
import { GrpcClient } from "@holdfast/transport";

/** Throws unless the server at `endpoint` answers a read. */
export async function honestRange(endpoint: string): Promise<void> {
  const [host = "", port = ""] = endpoint.split(":");
  const client = await GrpcClient.connect({ host, port: Number(port) });
  try {
    const request = encodeRangeRequest(createRangeRequest({ key: byteStringFromText("a") }));
    const { status } = await client.unary(kvService.methods.range.path, request);
    if (status.code !== 0) throw new Error(`an honest read is answered ${status.code} ${status.message}`);
  } finally {
    client.destroy();
  }
}
