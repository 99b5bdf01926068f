/** A real registry (Debian's docker-registry) on a free loopback port, for one test or one test file. */
import { mustRun } from "./run_command.ts";
import { makeTempDir, type TempDir } from "./temp_dir.ts";

const START_TIMEOUT_MS = 15_000;
const START_ATTEMPTS = 3;

/** How the registry behaves. Without options: plain http, no authentication, deletions allowed. */
export interface RegistryOptions {
  /** Requires this name and password (basic authentication) for everything. */
  readonly login?: { readonly user: string; readonly password: string };
  /** Serves https with a certificate of its own, made for 127.0.0.1 and localhost. */
  readonly isTls?: boolean;
  /** Answers pulls with this registry's content when it has not got something itself (`http://127.0.0.1:PORT`). */
  readonly proxyOf?: string;
}

/** A running registry. Disposing stops it and removes its storage. */
export interface RegistryProcess extends AsyncDisposable {
  /** `127.0.0.1:PORT`, as it stands in an image reference. */
  readonly host: string;
  /** `http://127.0.0.1:PORT` or `https://…`. */
  readonly url: string;
  /** Folder with the registry's storage. */
  readonly storagePath: string;
  /** PEM file with the certificate to trust; undefined for plain http. */
  readonly certificatePath: string | undefined;
  /** Everything that the registry has printed so far. */
  readLog(): Promise<string>;
}

/** Starts a registry and waits until it answers. Throws with its log when it does not. */
export async function startRegistry(options: RegistryOptions = {}): Promise<RegistryProcess> {
  for (let attempt = 1;; attempt++) {
    const folder = await makeTempDir();
    try {
      return await startIn(folder, options);
    } catch (error: unknown) {
      await folder[Symbol.asyncDispose]();
      if (attempt === START_ATTEMPTS) throw error; // Someone may have taken the port between our look and the start.
    }
  }
}

async function startIn(folder: TempDir, options: RegistryOptions): Promise<RegistryProcess> {
  const host = `127.0.0.1:${freePort()}`;
  const certificatePath = options.isTls ? await makeCertificate(folder.path) : undefined;
  const configPath = `${folder.path}/config.json`;
  await Deno.writeTextFile(configPath, JSON.stringify(await registryConfig(folder.path, host, options)));
  const log = await Deno.open(`${folder.path}/log`, { write: true, create: true });
  const child = new Deno.Command("docker-registry", {
    args: ["serve", configPath],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { OTEL_TRACES_EXPORTER: "none" },
  }).spawn();
  const drained = Promise.all([drain(child.stdout, log), drain(child.stderr, log)]).finally(() => log.close());
  const readLog = (): Promise<string> => Deno.readTextFile(`${folder.path}/log`);
  const stop = async (): Promise<void> => {
    killQuietly(child);
    await Promise.all([child.status, drained]);
    await folder[Symbol.asyncDispose]();
  };
  const url = `${options.isTls ? "https" : "http"}://${host}`;
  try {
    await waitUntilUp(url, certificatePath, child);
  } catch (error: unknown) {
    const text = await readLog();
    await stop();
    throw new Error(`Cannot start docker-registry on ${host}: ${text.slice(-2000)}`, { cause: error });
  }
  return { host, url, storagePath: `${folder.path}/storage`, certificatePath, readLog, [Symbol.asyncDispose]: stop };
}

/** The registry's configuration; it reads YAML, of which JSON is a part. */
async function registryConfig(folder: string, host: string, options: RegistryOptions): Promise<unknown> {
  const tls = options.isTls ? { tls: { certificate: `${folder}/cert.pem`, key: `${folder}/key.pem` } } : {};
  const login = options.login;
  if (login !== undefined) await Deno.writeTextFile(`${folder}/htpasswd`, await htpasswdLine(login));
  return {
    version: 0.1,
    log: { level: "info", accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory: `${folder}/storage` }, delete: { enabled: true } },
    http: { addr: host, ...tls },
    ...(login === undefined ? {} : { auth: { htpasswd: { realm: "kiln tests", path: `${folder}/htpasswd` } } }),
    ...(options.proxyOf === undefined ? {} : { proxy: { remoteurl: options.proxyOf } }),
  };
}

/** One htpasswd entry with bcrypt, the only kind the registry takes; perl's crypt() is part of every Debian. */
async function htpasswdLine(login: { readonly user: string; readonly password: string }): Promise<string> {
  const script = "print crypt($ARGV[0], q($2b$05$kilnkilnkilnkilnkilnku))";
  return `${login.user}:${await mustRun(["perl", "-e", script, login.password])}\n`;
}

/** Writes key.pem and cert.pem for 127.0.0.1 and localhost, signed by ca.pem, whose path is returned. */
async function makeCertificate(folder: string): Promise<string> {
  // A configuration of our own: the system's would add extensions that contradict ours.
  await Deno.writeTextFile(`${folder}/openssl.cnf`, "[req]\ndistinguished_name = dn\n[dn]\n");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const request = ["openssl", "req", "-x509", "-days", "30", "-config", `${folder}/openssl.cnf`, ...key];
  const authority = ["-subj", "/CN=kiln test authority", "-addext", "basicConstraints=critical,CA:TRUE"];
  await mustRun([...request, ...authority, "-keyout", `${folder}/ca.key`, "-out", `${folder}/ca.pem`]);
  const issuer = ["-CA", `${folder}/ca.pem`, "-CAkey", `${folder}/ca.key`, "-subj", "/CN=kiln test registry"];
  const names = [
    "-addext",
    "basicConstraints=critical,CA:FALSE",
    "-addext",
    "subjectAltName=IP:127.0.0.1,DNS:localhost",
  ];
  await mustRun([...request, ...issuer, ...names, "-keyout", `${folder}/key.pem`, "-out", `${folder}/cert.pem`]);
  return `${folder}/ca.pem`;
}

async function waitUntilUp(url: string, certificatePath: string | undefined, child: Deno.ChildProcess): Promise<void> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  const caCerts = certificatePath === undefined ? [] : [await Deno.readTextFile(certificatePath)];
  using client = Deno.createHttpClient({ caCerts });
  const isOver = child.status.then(() => true);
  while (true) {
    if (await isAnswering(`${url}/v2/`, client)) return;
    if (performance.now() > deadlineMs) throw new Error(`no answer within ${START_TIMEOUT_MS} ms`);
    if (await Promise.race([isOver, pause(50)])) throw new Error("it has ended");
  }
}

async function isAnswering(url: string, client: Deno.HttpClient): Promise<boolean> {
  try {
    const response = await fetch(url, { client });
    await response.body?.cancel();
    return response.status === 200 || response.status === 401;
  } catch {
    return false; // Not listening yet.
  }
}

function pause(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), ms));
}

async function drain(stream: ReadableStream<Uint8Array>, log: Deno.FsFile): Promise<void> {
  for await (const chunk of stream) await log.write(chunk);
}

function killQuietly(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error: unknown) {
    if (!(error instanceof TypeError)) throw error; // It has ended already.
  }
}

/** A loopback port that nobody listens on at this moment. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
