import { Agent, createServer, request } from "node:https";
import { type AddressInfo, isIP } from "node:net";
import { TLSSocket } from "node:tls";
import { onTestFinished } from "vitest";
import type { ServingCertificate } from "../../certs/serve.ts";

/** A server that follows `certificate`, on a free port of 127.0.0.1. Ends with the test. */
export async function serve(certificate: ServingCertificate): Promise<number> {
  const server = createServer({ ...certificate.pair }, (_, response) => response.end("ok"));
  certificate.onChange((pair) => server.setSecureContext(pair));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (!isListening(address)) throw new Error("the server has no port");
  return address.port;
}

const isListening = (address: AddressInfo | string | null): address is AddressInfo =>
  address !== null && typeof address === "object";

interface Asking {
  readonly port: number;
  /** The bundle that the client trusts. */
  readonly ca: string;
  readonly servername?: string;
  /** Over a connection that is kept for the next request, instead of a new one with a whole handshake. */
  readonly keep?: boolean;
}

const kept = new Agent({ keepAlive: true, maxSockets: 1 });

/** The serial number of the certificate that answered. */
export function ask({ port, ca, servername = "localhost", keep = false }: Asking): Promise<string> {
  const agent = keep ? kept : new Agent({ maxCachedSessions: 0 });
  // An address is no name to send, but one to connect to.
  const name = isIP(servername) ? {} : { servername };
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, ca, agent, ...name }, (answer) => {
      const { socket } = answer;
      const serial = socket instanceof TLSSocket ? socket.getPeerCertificate().serialNumber : "no TLS";
      answer.resume();
      answer.on("end", () => resolve(serial));
      answer.on("error", reject);
    });
    asked.on("error", reject);
    asked.end();
  });
}
