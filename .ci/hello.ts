/**
 * `deno task hello`, the README's first command: sets up what is missing, builds `fixtures/builds/hello` into an OCI layout in
 * `dist/hello`, and tells how to look inside. The base image comes from Docker Hub when it answers; otherwise it is made
 * from Debian's busybox-static and served by a registry on this machine.
 */
import { pushBusybox } from "../tests/support/debian_base.ts";
import { startRegistry } from "../tests/support/registry_process.ts";
import { errorLine, passThrough, say } from "../tests/support/run_command.ts";
import { ensureBinaries, ensurePackages } from "../tests/support/set_up.ts";

const PROJECT_ROOT = new URL("..", import.meta.url).pathname;
const FIXTURE = "fixtures/builds/hello";
const OUTPUT = "dist/hello";
const HUB_URL = "https://registry-1.docker.io/v2/";
const HUB_TIMEOUT_MS = 4000;

/** The flags that say where the base image is. Disposing stops the registry that serves it. */
interface BaseFlags extends AsyncDisposable {
  readonly flags: readonly string[];
}

/** The compiled program, or the sources where this machine cannot compile. */
async function kilnCommand(): Promise<readonly string[]> {
  try {
    return [(await ensureBinaries()).kiln];
  } catch (error: unknown) {
    say(`Cannot compile here, so the sources are run instead: ${errorLine(error)}`);
    return [Deno.execPath(), "run", "-A", "--frozen", "--quiet", `${PROJECT_ROOT}main.ts`];
  }
}

async function hubAnswers(): Promise<boolean> {
  try {
    const response = await fetch(HUB_URL, { signal: AbortSignal.timeout(HUB_TIMEOUT_MS) });
    await response.body?.cancel();
    return response.status === 200 || response.status === 401;
  } catch {
    return false; // Out of reach: then the base is made here.
  }
}

async function findBase(): Promise<BaseFlags> {
  if (await hubAnswers()) return { flags: [], [Symbol.asyncDispose]: () => Promise.resolve() };
  say("Docker Hub does not answer: the base image is made from busybox-static and served on 127.0.0.1");
  await ensurePackages(["busybox-static", "docker-registry", "skopeo"]);
  const registry = await startRegistry();
  try {
    await pushBusybox(registry);
  } catch (error: unknown) {
    await registry[Symbol.asyncDispose]();
    throw error;
  }
  const flags = ["--insecure-pull", `--build-arg=BASE=${registry.host}/busybox:latest`];
  return { flags, [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() };
}

/** Builds the fixture and returns kiln's exit code. */
async function buildHello(): Promise<number> {
  const kiln = await kilnCommand();
  await using base = await findBase();
  await Deno.remove(`${PROJECT_ROOT}${OUTPUT}`, { recursive: true }).catch(() => undefined); // None from an earlier run.
  const input = [
    `--context=dir://${PROJECT_ROOT}${FIXTURE}/context`,
    `--dockerfile=${PROJECT_ROOT}${FIXTURE}/Dockerfile`,
  ];
  const output = ["--no-push", "--destination=hello:latest", `--oci-layout-path=${PROJECT_ROOT}${OUTPUT}`];
  say(`Building ${FIXTURE}`);
  return await passThrough([...kiln, "--isolation=chroot", ...input, ...output, ...base.flags]);
}

if (import.meta.main) {
  const code = await buildHello();
  if (code === 0) {
    say(`The image is the OCI layout ${OUTPUT}; its digest is the line above. To look inside:`);
    say(`  skopeo inspect oci:${OUTPUT}`);
    say(`  umoci unpack --image ${OUTPUT}:latest /tmp/hello && ls -lR /tmp/hello/rootfs/srv`);
  }
  Deno.exit(code);
}
