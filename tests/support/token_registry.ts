/** Debian's registry with a token server of our own: it signs tokens with a key whose certificate the registry trusts. */
import { createHash, createPrivateKey, sign } from "node:crypto";
import { startFaultProxy } from "./fault_proxy.ts";
import { freePort } from "./registry_process.ts";
import { mustRun } from "./run_command.ts";
import { makeTempDir } from "./temp_dir.ts";

/** A running registry with its token server. */
export interface TokenRegistry extends AsyncDisposable {
  readonly host: string;
  /** The scopes that tokens were asked for. */
  scopes(): readonly string[];
  /** From now on every n-th call to the registry is refused as if its token had run out. */
  expireEvery(count: number): void;
}

/** Who may log in, and how long a token is good. */
export interface TokenOptions {
  readonly user: string;
  readonly password: string;
  readonly lifeSeconds: number;
}

export async function startTokenRegistry(options: TokenOptions): Promise<TokenRegistry> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await makeTempDir());
  const keyPath = `${folder.path}/token.key`;
  const certificatePath = `${folder.path}/token.pem`;
  const subject = ["-subj", "/CN=kiln token server", "-days", "30", "-nodes"];
  const key = ["-newkey", "rsa:2048", "-keyout", keyPath, "-out", certificatePath];
  await mustRun(["openssl", "req", "-x509", ...key, ...subject]);
  const issuer: Issuer = {
    key: await Deno.readTextFile(keyPath),
    certificate: await Deno.readTextFile(certificatePath),
  };
  const asked: string[] = [];
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => answerToken(request, options, issuer, asked),
  );
  stack.defer(() => server.shutdown());
  const inner = `127.0.0.1:${freePort()}`;
  const config = {
    version: 0.1,
    storage: { filesystem: { rootdirectory: `${folder.path}/storage` } },
    http: { addr: inner },
    auth: {
      token: {
        realm: `http://127.0.0.1:${server.addr.port}/token`,
        service: "kiln",
        issuer: "kiln",
        rootcertbundle: certificatePath,
      },
    },
  };
  await Deno.writeTextFile(`${folder.path}/config.json`, JSON.stringify(config));
  const child = new Deno.Command("docker-registry", {
    args: ["serve", `${folder.path}/config.json`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    env: { OTEL_TRACES_EXPORTER: "none" },
  }).spawn();
  stack.defer(async () => {
    child.kill("SIGKILL");
    await child.status;
  });
  await waitFor(`http://${inner}/v2/`);
  let every = 0;
  let calls = 0;
  const realm = `Bearer realm="${config.auth.token.realm}",service="kiln"`;
  const proxy = stack.use(startFaultProxy(inner, {
    fault: ({ path, method }) => {
      const isDue = every > 0 && ++calls % every === 0;
      const scope = `repository:${/^\/v2\/(.+?)\/(?:blobs|manifests)\//.exec(path)?.[1]}:pull,push`;
      if (!isDue || method === "HEAD") return undefined;
      return { kind: "answer", status: 401, headers: { "www-authenticate": `${realm},scope="${scope}"` }, body: "{}" };
    },
  }));
  const owned = stack.move();
  return {
    host: proxy.host,
    scopes: () => asked,
    expireEvery: (count) => void (every = count),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface Issuer {
  readonly key: string;
  readonly certificate: string;
}

function answerToken(request: Request, options: TokenOptions, issuer: Issuer, asked: string[]): Response {
  const url = new URL(request.url);
  const scopes = url.searchParams.getAll("scope");
  const isKnown = request.headers.get("authorization") === `Basic ${btoa(`${options.user}:${options.password}`)}`;
  if (!isKnown && request.headers.has("authorization")) return new Response("{}", { status: 401 });
  asked.push(...scopes);
  const access = (isKnown ? scopes : []).map((scope) => {
    const [type = "", name = "", actions = ""] = scope.split(":");
    return { type, name, actions: actions.split(",") };
  });
  const now = Math.floor(Date.now() / 1000);
  // The registry allows a minute of leeway, so a token that it shall refuse is said to be older than that.
  const claims = {
    iss: "kiln",
    sub: options.user,
    aud: "kiln",
    nbf: now - 60,
    iat: now,
    exp: now + 300,
    jti: crypto.randomUUID(),
    access,
  };
  return Response.json({ token: signToken(claims, issuer), expires_in: options.lifeSeconds });
}

function signToken(claims: unknown, { key, certificate }: Issuer): string {
  const chain = certificate.replace(/-----[A-Z ]+-----|\s/g, "");
  const der = Uint8Array.from(atob(chain), (char) => char.charCodeAt(0));
  const header = { typ: "JWT", alg: "RS256", x5c: [chain], kid: createHash("sha256").update(der).digest("hex") };
  const text = [header, claims].map((part) => base64Url(new TextEncoder().encode(JSON.stringify(part)))).join(".");
  return `${text}.${base64Url(sign("sha256", new TextEncoder().encode(text), createPrivateKey(key)))}`;
}

function base64Url(bytes: Uint8Array): string {
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

async function waitFor(url: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const status = await fetch(url).then(async (response) => (await response.body?.cancel(), response.status), () => 0);
    if (status === 401) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`no registry at ${url}`);
}
