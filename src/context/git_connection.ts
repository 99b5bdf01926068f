/**
 * Connections to the upload-pack service of a git server: by HTTP, by git's own protocol, by the `ssh` program. All three
 * show the same two streams: the refs on offer and, once a request is sent, the pack. Source: gitprotocol-http(5),
 * gitprotocol-pack(5).
 */
import { errorText, UnsupportedError } from "../errors.ts";
import { ContextError } from "./context_error.ts";
import type { GitReference } from "./git_reference.ts";
import { packetLine } from "./git_packets.ts";
import { beforeSilence, callHttp, type FetchServices } from "./http_call.ts";
import { redactCredentials, splitLogin } from "./remote_url.ts";

/** What git connections take from the outside world. */
export interface GitServices extends FetchServices {
  /** Absolute paths are looked up by the system; given so that tests can name another program. */
  readonly sshProgram?: string;
}

/** One conversation. Disposing it closes what is open. */
export interface GitConnection extends AsyncDisposable {
  /** The refs on offer, as packets; read once. */
  readonly offer: ReadableStream<Uint8Array>;
  /** Sends the one request and gives the answer. */
  request(body: Uint8Array<ArrayBuffer>): Promise<ReadableStream<Uint8Array>>;
  /** What the connection says about a failure, such as the complaints of ssh. */
  complaint(): string;
}

const SERVICE = "git-upload-pack";
const GIT_PORT = 9418;

/** Opens a conversation. Throws ContextError, or UnsupportedError where there is no ssh program. */
export async function connectGit(
  { transport, remote }: Pick<GitReference, "transport" | "remote">,
  services: GitServices,
): Promise<GitConnection> {
  switch (transport) {
    case "http":
      return await connectHttp(remote, services);
    case "git":
      return await connectDaemon(remote, services);
    case "ssh":
      return connectSsh(remote, services);
  }
}

/** The first answer says where the repository is now, and the request goes there. */
async function connectHttp(remote: string, services: GitServices): Promise<GitConnection> {
  const base = remote.replace(/\/+$/, "");
  const suffix = `/info/refs?service=${SERVICE}`;
  const answer = await callHttp({ action: "fetch", url: base + suffix, source: remote }, services);
  const type = answer.headers.get("content-type") ?? "";
  if (!type.startsWith(`application/x-${SERVICE}-advertisement`)) {
    await answer.body.cancel();
    const reason = "the server does not answer as a git server does";
    throw new ContextError({ action: "fetch", source: redactCredentials(remote), reason });
  }
  const url = postUrl(remote, base, answer.url, suffix);
  return {
    offer: answer.body,
    async request(body): Promise<ReadableStream<Uint8Array>> {
      const headers = { "content-type": `application/x-${SERVICE}-request`, accept: `application/x-${SERVICE}-result` };
      return (await callHttp({ action: "fetch", url, source: remote, method: "POST", headers, body }, services)).body;
    },
    complaint: () => "",
    [Symbol.asyncDispose]: async () => {
      if (!answer.body.locked) await answer.body.cancel().catch(() => {}); // It may have broken.
    },
  };
}

/** A repository that moved is asked where it is now; the login stays with the server it was given for. */
function postUrl(remote: string, base: string, answered: string, suffix: string): string {
  const { url: start } = splitLogin(base + suffix);
  if (answered === start || !answered.endsWith(suffix)) return `${base}/${SERVICE}`;
  const moved = `${answered.slice(0, -suffix.length)}/${SERVICE}`;
  if (new URL(moved).origin !== new URL(remote).origin) return moved;
  const target = new URL(moved);
  const { username, password } = new URL(remote);
  target.username = username;
  target.password = password;
  return target.href;
}

async function connectDaemon(remote: string, { signal }: GitServices): Promise<GitConnection> {
  const { hostname, port, pathname } = new URL(remote);
  const path = decodeURIComponent(pathname);
  const connection = await connectTcp(hostname.replace(/^\[|\]$/g, ""), Number(port || GIT_PORT), remote);
  const stop = (): void => connection.close();
  signal.addEventListener("abort", stop, { once: true });
  const host = port === "" ? hostname : `${hostname}:${port}`;
  await writeAll(connection.writable, new TextEncoder().encode(packetLine(`${SERVICE} ${path}\0host=${host}\0`)));
  const [offer, answer] = oneAfterTheOther(connection.readable);
  return {
    offer,
    async request(body): Promise<ReadableStream<Uint8Array>> {
      await writeAll(connection.writable, body);
      return answer;
    },
    complaint: () => "",
    [Symbol.asyncDispose]: () => {
      signal.removeEventListener("abort", stop);
      closeQuietly(connection);
      return Promise.resolve();
    },
  };
}

async function connectTcp(hostname: string, port: number, remote: string): Promise<Deno.TcpConn> {
  try {
    return await Deno.connect({ hostname, port });
  } catch (error: unknown) {
    const failure = { action: "fetch", source: redactCredentials(remote), reason: errorText(error) };
    throw new ContextError(failure, { cause: error });
  }
}

function closeQuietly(connection: Pick<Deno.TcpConn, "close">): void {
  try {
    connection.close();
  } catch (error: unknown) {
    if (!(error instanceof Deno.errors.BadResource)) throw error; // Reading it to its end has closed it.
  }
}

function connectSsh(remote: string, { signal, sshProgram = "ssh" }: GitServices): GitConnection {
  const { options, host, path } = sshAddress(remote);
  const quoted = `'${path.replaceAll("'", "'\\''")}'`;
  const args = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=60", ...options, "--", host, `${SERVICE} ${quoted}`];
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(sshProgram, { args, stdin: "piped", stdout: "piped", stderr: "piped", signal }).spawn();
  } catch (error: unknown) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UnsupportedError(`Cannot fetch "${redactCredentials(remote)}": there is no ssh program here`, {
      cause: error,
      hint: "Name the repository by https, or add ssh to the image that kiln runs in",
    });
  }
  const complaints: string[] = [];
  const listening = listen(child.stderr, complaints);
  const [offer, answer] = oneAfterTheOther(child.stdout);
  return {
    offer,
    async request(body): Promise<ReadableStream<Uint8Array>> {
      await writeAll(child.stdin, body);
      return answer;
    },
    complaint: () => complaints.join("").trim().split("\n").slice(-3).join("; "),
    [Symbol.asyncDispose]: async () => {
      kill(child);
      await child.stdin.close().catch(() => {}); // The other end may be gone.
      await listening;
      await child.status;
    },
  };
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch (error: unknown) {
    if (!(error instanceof TypeError)) throw error; // It has ended already.
  }
}

interface SshAddress {
  readonly options: readonly string[];
  readonly host: string;
  readonly path: string;
}

/** `ssh://user@host:port/path` or `user@host:path`. What begins with "-" could be taken for an option. */
function sshAddress(remote: string): SshAddress {
  const scp = /^([^/@:]+@[^/:]+):(.*)$/.exec(remote);
  const url = scp === null ? new URL(remote) : undefined;
  const user = url === undefined || url.username === "" ? "" : `${decodeURIComponent(url.username)}@`;
  const host = url === undefined ? scp?.[1] ?? "" : user + url.hostname;
  const path = url === undefined ? scp?.[2] ?? "" : decodeURIComponent(url.pathname).replace(/^\/~/, "~");
  if (host.startsWith("-") || path.startsWith("-") || path === "") {
    const reason = "its host or path is not one that ssh can be given";
    throw new ContextError({ action: "fetch", source: redactCredentials(remote), reason });
  }
  return { options: url === undefined || url.port === "" ? [] : ["-p", url.port], host, path };
}

async function listen(stream: ReadableStream<Uint8Array>, lines: string[]): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) if (lines.length < 100) lines.push(decoder.decode(chunk, { stream: true }));
}

async function writeAll(writable: WritableStream<Uint8Array>, bytes: Uint8Array): Promise<void> {
  const writer = writable.getWriter();
  try {
    await writer.write(bytes);
  } finally {
    writer.releaseLock();
  }
}

/**
 * Two views of one stream: the second goes on where the reader of the first stopped, packets being read whole. A reader
 * may have taken more than it used, but never more than the server sent before it got the request.
 */
function oneAfterTheOther(
  stream: ReadableStream<Uint8Array>,
): readonly [offer: ReadableStream<Uint8Array>, answer: ReadableStream<Uint8Array>] {
  const reader = stream.getReader();
  const view = (onCancel: () => Promise<void>): ReadableStream<Uint8Array> =>
    new ReadableStream<Uint8Array>({
      async pull(controller): Promise<void> {
        const { done, value } = await beforeSilence(reader.read());
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: onCancel,
    }, { highWaterMark: 0 });
  return [view(() => Promise.resolve()), view(() => reader.cancel().catch(() => {}))]; // It may have broken.
}
