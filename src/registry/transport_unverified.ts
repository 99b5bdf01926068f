/**
 * HTTPS without verification of the server's certificate, for hosts that `--skip-tls-verify` names. It goes through a relay
 * of our own since Deno's client cannot leave the check out for one host; proxies are therefore not used.
 */
import { Buffer } from "node:buffer";
import { type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";
import type { FetchInit } from "./registry_services.ts";
import { openTlsBridge, type TlsBridge } from "./transport_bridge.ts";

const HTTPS_PORT = 443;

/** A client's certificate and key, as PEM text. */
export interface ClientIdentity {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Makes one HTTPS call to a server whose certificate is not checked. Takes the part of `fetch`'s options that the
 * registry code uses: method, headers, body (bytes, text or stream) and signal. Redirects are not followed.
 */
export async function fetchUnverified(url: string, init: FetchInit, identity?: ClientIdentity): Promise<Response> {
  const signal = init.signal ?? undefined;
  signal?.throwIfAborted();
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const bridge = await openTlsBridge({ host, port: port === "" ? HTTPS_PORT : Number(port), identity });
  try {
    const message = await Promise.race([callThrough(bridge, url, init, signal), bridge.broken]);
    message.once("close", () => bridge.close());
    return toResponse(message, init.method === "HEAD");
  } catch (error: unknown) {
    bridge.close();
    throw error;
  }
}

function callThrough(
  bridge: TlsBridge,
  url: string,
  init: FetchInit,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  const { host, pathname, search } = new URL(url);
  return new Promise<IncomingMessage>((resolve, reject) => {
    const call = request({
      host: "127.0.0.1",
      port: bridge.port,
      path: `${pathname}${search}`,
      method: init.method ?? "GET",
      headers: { ...requestHeaders(init), host, connection: "close" },
    });
    const stop = (): void => {
      call.destroy();
      bridge.close();
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
    call.on("error", reject);
    call.on("response", (answer) => {
      answer.on("close", () => signal?.removeEventListener("abort", stop));
      resolve(answer);
    });
    sendBody(init.body, call).catch((error: unknown) => {
      call.destroy();
      reject(error);
    });
  });
}

function requestHeaders(init: FetchInit): Record<string, string> {
  const headers = Object.fromEntries(new Headers(init.headers));
  const { body } = init;
  if (body instanceof Uint8Array) headers["content-length"] = String(body.length);
  else if (typeof body === "string") headers["content-length"] = String(Buffer.byteLength(body));
  else if (body === null || body === undefined) {
    if (init.method !== "GET" && init.method !== "HEAD") headers["content-length"] = "0";
  }
  return headers;
}

async function sendBody(body: FetchInit["body"], call: ReturnType<typeof request>): Promise<void> {
  if (body instanceof ReadableStream) {
    for await (const chunk of body) {
      if (!call.write(chunk)) await new Promise<void>((resolve) => call.once("drain", resolve));
    }
    call.end();
  } else if (body instanceof Uint8Array || typeof body === "string") {
    call.end(body);
  } else if (body === null || body === undefined) {
    call.end();
  } else {
    throw new TypeError("A body must be bytes, text or a stream");
  }
}

function toResponse(message: IncomingMessage, isHead: boolean): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers)) {
    for (const one of Array.isArray(value) ? value : value === undefined ? [] : [value]) headers.append(name, one);
  }
  const status = message.statusCode ?? 502;
  if (isHead || status === 204 || status === 205 || status === 304) {
    message.resume();
    return new Response(null, { status, headers });
  }
  const body = new ReadableStream<Uint8Array>({
    start(): void {
      message.pause();
    },
    ...messageSource(message),
  }, { highWaterMark: 0 });
  return new Response(body, { status, headers });
}

function messageSource(
  message: IncomingMessage,
): Pick<UnderlyingDefaultSource<Uint8Array>, "pull" | "cancel"> {
  const chunks = Readable.prototype[Symbol.asyncIterator].call(message);
  return {
    async pull(controller): Promise<void> {
      const { done, value } = await chunks.next();
      if (done) return controller.close();
      controller.enqueue(new Uint8Array(value));
    },
    cancel(): void {
      message.destroy();
    },
  };
}
