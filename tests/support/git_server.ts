/** Git repositories behind real servers on loopback: `git http-backend` behind a small CGI server, and `git daemon`. */
import { mustRun } from "./run_command.ts";
import { makeTempDir } from "./temp_dir.ts";

/** What a server is started with. */
export interface GitServerOptions {
  /** `user:password` that the HTTP server asks for. */
  readonly login?: string;
}

/** One request that the HTTP server got. */
export interface SeenRequest {
  readonly path: string;
  readonly authorization: string | null;
}

/** Repositories `<folder>/<name>.git`, served; disposing stops the server and removes them. */
export interface GitServer extends AsyncDisposable {
  readonly folder: string;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly requests: readonly SeenRequest[];
}

const ENV = {
  GIT_CONFIG_NOSYSTEM: "1",
  HOME: "/nonexistent",
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@b",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@b",
  GIT_AUTHOR_DATE: "1700000000 +0000",
  GIT_COMMITTER_DATE: "1700000000 +0000",
};

/** Runs git in `folder`; gives what it prints. */
export async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const command = ["git", "-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main", ...args];
  return (await mustRun(command, { cwd: folder, env: ENV })).trim();
}

/** Makes the repository `<folder>/<name>.git` and gives its folder, a working tree on branch main without a commit. */
export async function makeRepository(server: Pick<GitServer, "folder">, name: string): Promise<string> {
  const folder = `${server.folder}/${name}.git`;
  await Deno.mkdir(folder, { recursive: true });
  await git(folder, "init", "--quiet");
  return folder;
}

/** Commits all that is in the working tree; gives the commit. */
export async function commitAll(folder: string, message = "m"): Promise<string> {
  await git(folder, "add", "--all");
  await git(folder, "commit", "--quiet", "--allow-empty", "-m", message);
  return await git(folder, "rev-parse", "HEAD");
}

/** Starts the HTTP server. */
export async function startGitServer(options: GitServerOptions = {}): Promise<GitServer> {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(await makeTempDir());
  const requests: SeenRequest[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const url = new URL(request.url);
    const authorization = request.headers.get("authorization");
    requests.push({ path: url.pathname, authorization });
    const expected = options.login === undefined ? null : `Basic ${btoa(options.login)}`;
    if (expected !== null && authorization !== expected) {
      return new Response("no", { status: 401, headers: { "www-authenticate": "Basic" } });
    }
    return await runBackend(folder, url, request);
  });
  stack.defer(() => server.shutdown());
  const owned = stack.move();
  return {
    folder,
    url: `http://127.0.0.1:${server.addr.port}`,
    requests,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A running `git daemon`. */
export interface GitDaemon extends AsyncDisposable {
  /** `git://127.0.0.1:PORT`. */
  readonly url: string;
}

/** Starts `git daemon` for the repositories in `folder`. */
export async function startGitDaemon(folder: string): Promise<GitDaemon> {
  const port = freePort();
  const child = new Deno.Command("git", {
    args: [
      "daemon",
      "--reuseaddr",
      "--export-all",
      `--base-path=${folder}`,
      "--listen=127.0.0.1",
      `--port=${port}`,
      folder,
    ],
    env: { ...ENV, GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "safe.directory", GIT_CONFIG_VALUE_0: "*" },
    stdout: "null",
    stderr: "null",
  }).spawn();
  await untilListening(port);
  return {
    url: `git://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

async function runBackend(folder: string, url: URL, request: Request): Promise<Response> {
  const body = new Uint8Array(await request.arrayBuffer());
  const child = new Deno.Command("git", {
    args: ["http-backend"],
    env: {
      ...ENV,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers.get("content-type") ?? "",
      CONTENT_LENGTH: String(body.length),
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(body).catch(() => {}); // It may not read what it refuses.
  await writer.close().catch(() => {});
  return cgiResponse((await child.output()).stdout);
}

function cgiResponse(output: Uint8Array): Response {
  const text = new TextDecoder("latin1").decode(output);
  const end = text.indexOf("\r\n\r\n");
  const headers = new Headers();
  let status = 200;
  for (const line of text.slice(0, Math.max(end, 0)).split("\r\n")) {
    const [name = "", value = ""] = line.split(/:\s*/, 2);
    if (name.toLowerCase() === "status") status = Number.parseInt(value);
    else if (name !== "") headers.append(name, value);
  }
  return new Response(output.slice(end + 4), { status, headers });
}

function freePort(): number {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  return listener.addr.port;
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      (await Deno.connect({ port, hostname: "127.0.0.1" })).close();
      return;
    } catch (error: unknown) {
      if (attempt > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
