/**
 * A relay on this machine that speaks TLS to one server without checking its certificate. Deno 2.4's node:https checks it
 * whatever it is told, its node:tls does not: so HTTP goes in plain to the relay, and from there encrypted.
 */
import { createServer, type Server, type Socket } from "node:net";
import { connect, type ConnectionOptions } from "node:tls";

/** Where the relay leads, and the client's certificate if the server wants one. */
export interface BridgeTarget {
  readonly host: string;
  readonly port: number;
  /** PEM texts. */
  readonly identity?: { readonly certificate: string; readonly key: string } | undefined;
}

/** A relay for one connection. Closing it breaks the connection off. */
export interface TlsBridge {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** Rejects when the connection to the server breaks; never resolves. */
  readonly broken: Promise<never>;
  close(): void;
}

/** Opens a relay that takes a single connection. */
export function openTlsBridge(target: BridgeTarget): Promise<TlsBridge> {
  const { promise: broken, reject: breakOff } = Promise.withResolvers<never>();
  broken.catch(() => {}); // A break after the answer shows in the answer's own stream.
  const open = new Set<Socket>();
  const server = createServer((local) => {
    server.close();
    const remote = connect(connectionOptions(target));
    for (const socket of [local, remote]) open.add(socket);
    remote.on("error", (error: Error) => {
      breakOff(error);
      local.destroy();
    });
    local.on("error", () => remote.destroy());
    local.pipe(remote).pipe(local);
  });
  const close = (): void => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve({ port: portOf(server), broken, close }));
  });
}

function connectionOptions({ host, port, identity }: BridgeTarget): ConnectionOptions {
  const isAddress = /^[\d.]+$|:/.test(host);
  return {
    host,
    port,
    rejectUnauthorized: false,
    ...(!isAddress && { servername: host }),
    ...(identity !== undefined && { cert: identity.certificate, key: identity.key }),
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the relay has no port");
  return address.port;
}
