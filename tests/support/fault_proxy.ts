/**
 * A proxy in front of a real registry that does what bad networks and broken servers do: it cuts connections after so many
 * bytes, lies about lengths, answers with something else. It counts connections and bytes.
 */

/** What to do to one exchange. */
export type Fault =
  /** The connection to the client ends after so many bytes of the answer's body. */
  | { readonly kind: "cut-answer"; readonly afterBytes: number }
  /** The connection ends after so many bytes of the request's body came; the registry gets those, and nobody an answer. */
  | { readonly kind: "cut-request"; readonly afterBytes: number }
  /** The registry gets the whole request, but its answer is lost. */
  | { readonly kind: "lose-answer" }
  /** Content-Length says so many bytes more (or less) than there are. */
  | { readonly kind: "lie"; readonly extraBytes: number }
  /** Another answer in place of the registry's. */
  | {
    readonly kind: "answer";
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }
  /** Bytes without end in place of the body. */
  | { readonly kind: "endless" };

/** One exchange as the proxy saw it. */
export interface ProxiedCall {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/** The running proxy. */
export interface FaultProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly calls: readonly ProxiedCall[];
  /** Connections that clients opened. */
  connections(): number;
  /** Bytes of bodies to the registry and from it. */
  readonly moved: { sentBytes: number; receivedBytes: number };
}

/** A request's head as it came. */
export interface ProxiedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Headers;
}

/** How the proxy behaves. */
export interface FaultProxyOptions {
  /** Asked for each request; undefined lets it pass. */
  readonly fault?: (request: ProxiedRequest) => Fault | undefined;
  /** Paths at this proxy begin with this, before the /v2 that the registry knows: "/v2/prefix" in place of "/v2". */
  readonly prefix?: string;
}

/** Starts a proxy in front of `target`, "127.0.0.1:PORT" of a registry that speaks plain HTTP. */
export function startFaultProxy(target: string, options: FaultProxyOptions = {}): FaultProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const state: State = {
    target,
    options,
    host: `127.0.0.1:${listener.addr.port}`,
    calls: [],
    connections: 0,
    moved: { sentBytes: 0, receivedBytes: 0 },
    open: new Set(),
  };
  const accepting = acceptAll(listener, state);
  return {
    host: state.host,
    calls: state.calls,
    connections: () => state.connections,
    moved: state.moved,
    async [Symbol.asyncDispose](): Promise<void> {
      listener.close();
      for (const connection of state.open) closeQuietly(connection);
      await accepting;
    },
  };
}

interface State {
  readonly target: string;
  readonly options: FaultProxyOptions;
  readonly host: string;
  readonly calls: ProxiedCall[];
  connections: number;
  readonly moved: { sentBytes: number; receivedBytes: number };
  readonly open: Set<Deno.TcpConn>;
}

async function acceptAll(listener: Deno.TcpListener, state: State): Promise<void> {
  const running: Promise<void>[] = [];
  try {
    for await (const connection of listener) {
      state.connections++;
      state.open.add(connection);
      running.push(serve(connection, state).catch(() => {}).finally(() => closeQuietly(connection)));
    }
  } catch (error: unknown) {
    if (!(error instanceof Deno.errors.BadResource)) throw error; // The listener was closed.
  }
  await Promise.all(running);
}

/** Serves one connection, request after request, with bodies buffered: tests are small. */
async function serve(connection: Deno.TcpConn, state: State): Promise<void> {
  const reader = new HttpReader(connection);
  for (;;) {
    const head = await reader.readHead();
    if (head === undefined) return;
    const { method, path, headers } = head;
    const fault = state.options.fault?.(head);
    const cut = fault?.kind === "cut-request" ? fault.afterBytes : undefined;
    const body = await reader.readBody(headers, cut);
    state.moved.sentBytes += body.length;
    if (fault?.kind === "answer") {
      state.calls.push({ method, path, status: fault.status });
      await write(
        connection,
        encodeHead(fault.status, new Headers({ ...fault.headers, "content-length": String(fault.body.length) })),
      );
      await write(connection, new TextEncoder().encode(fault.body));
      continue;
    }
    const answer = await forward(head, body, state, cut !== undefined);
    if (answer === undefined || cut !== undefined || fault?.kind === "lose-answer") return;
    state.calls.push({ method, path, status: answer.status });
    state.moved.receivedBytes += answer.body.length;
    if (!await reply(connection, method, answer, fault)) return;
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

async function forward(
  { method, path, headers }: ProxiedRequest,
  body: Uint8Array<ArrayBuffer>,
  { target, host, options }: State,
  isCut: boolean,
): Promise<Answer | undefined> {
  const inner = options.prefix === undefined ? path : path.replace(`/v2${options.prefix}`, "/v2");
  const sent = new Headers(headers);
  for (const name of ["host", "content-length", "connection", "transfer-encoding"]) sent.delete(name);
  const hasBody = method !== "GET" && method !== "HEAD";
  try {
    const response = await fetch(`http://${target}${inner}`, {
      method,
      headers: sent,
      redirect: "manual",
      ...(hasBody && { body: isCut && body.length === 0 ? null : body }),
    });
    const received = new Headers(response.headers);
    const location = received.get("location");
    if (location !== null) {
      const moved = location.replace(`http://${target}`, `http://${host}`);
      received.set("location", options.prefix === undefined ? moved : moved.replace("/v2", `/v2${options.prefix}`));
    }
    return { status: response.status, headers: received, body: new Uint8Array(await response.arrayBuffer()) };
  } catch {
    return undefined;
  }
}

/** Sends the answer with its fault; whether the connection lives on. */
async function reply(connection: Deno.TcpConn, method: string, answer: Answer, fault?: Fault): Promise<boolean> {
  const headers = new Headers(answer.headers);
  headers.delete("transfer-encoding");
  const length = method === "HEAD" ? Number(headers.get("content-length") ?? 0) : answer.body.length;
  headers.set("content-length", String(length + (fault?.kind === "lie" ? fault.extraBytes : 0)));
  if (fault?.kind === "endless") headers.delete("content-length");
  await write(connection, encodeHead(answer.status, headers));
  if (method === "HEAD") return true;
  switch (fault?.kind) {
    case "cut-answer":
      await write(connection, answer.body.subarray(0, fault.afterBytes));
      return false;
    case "lie":
      await write(connection, answer.body);
      return false;
    case "endless":
      for (const zeros = new Uint8Array(1 << 16);;) await write(connection, zeros);
    default:
      await write(connection, answer.body);
      return true;
  }
}

function encodeHead(status: number, headers: Headers): Uint8Array {
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  return new TextEncoder().encode(`HTTP/1.1 ${status} Status\r\n${lines.join("")}\r\n`);
}

async function write(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await connection.write(rest));
}

function closeQuietly(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error: unknown) {
    if (!(error instanceof Deno.errors.BadResource)) throw error; // It is closed already.
  }
}

/** Reads requests from a connection. */
class HttpReader {
  readonly #connection: Deno.TcpConn;
  #buffer = new Uint8Array();

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  async readHead(): Promise<ProxiedRequest | undefined> {
    for (;;) {
      const text = new TextDecoder("latin1").decode(this.#buffer);
      const end = text.indexOf("\r\n\r\n");
      if (end >= 0) {
        this.#buffer = this.#buffer.slice(end + 4);
        const [first = "", ...lines] = text.slice(0, end).split("\r\n");
        const [method = "", path = ""] = first.split(" ");
        const pairs = lines.map((line): [string, string] => {
          const colon = line.indexOf(":");
          return [line.slice(0, colon), line.slice(colon + 1).trim()];
        });
        return { method, path, headers: new Headers(pairs) };
      }
      if (!await this.#more()) return undefined;
    }
  }

  /** The body, or its first `limit` bytes. */
  async readBody(headers: Headers, limit = Infinity): Promise<Uint8Array<ArrayBuffer>> {
    if (headers.get("transfer-encoding") === "chunked") return await this.#readChunks(limit);
    const length = Number(headers.get("content-length") ?? 0);
    return await this.#take(Math.min(length, limit));
  }

  async #readChunks(limit: number): Promise<Uint8Array<ArrayBuffer>> {
    let body = new Uint8Array();
    for (;;) {
      const size = parseInt(await this.#line(), 16);
      const chunk = await this.#take(size);
      await this.#line();
      if (size === 0) return body;
      body = new Uint8Array([...body, ...chunk]);
      if (body.length >= limit) return body.slice(0, limit);
    }
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#buffer.indexOf(0x0a);
      if (end >= 0) return new TextDecoder("latin1").decode(await this.#take(end + 1)).trim();
      if (!await this.#more()) throw new Deno.errors.UnexpectedEof();
    }
  }

  async #take(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array[] = [];
    let missing = count;
    while (missing > 0) {
      if (this.#buffer.length === 0 && !await this.#more()) throw new Deno.errors.UnexpectedEof();
      const part = this.#buffer.subarray(0, missing);
      parts.push(part);
      missing -= part.length;
      this.#buffer = this.#buffer.slice(part.length);
    }
    const taken = new Uint8Array(count);
    parts.reduce((at, part) => (taken.set(part, at), at + part.length), 0);
    return taken;
  }

  async #more(): Promise<boolean> {
    const chunk = new Uint8Array(1 << 16);
    const count = await this.#connection.read(chunk).catch(() => null);
    if (count === null) return false;
    const joined = new Uint8Array(this.#buffer.length + count);
    joined.set(this.#buffer);
    joined.set(chunk.subarray(0, count), this.#buffer.length);
    this.#buffer = joined;
    return true;
  }
}
