/**
 * Everything the conformance and end-to-end tests need from the machine: Debian packages, a runtime base for
 * `deno compile`, and the binaries of the present sources. Idempotent; each part is done only where it is missing.
 */
import { createHash } from "node:crypto";
import { build, type BuildOptions, projectBuild } from "../../.ci/build.ts";
import { pathExists } from "./path_exists.ts";
import { mustRun, say } from "./run_command.ts";

const PROJECT_ROOT = new URL("../../", import.meta.url).pathname;
const WORK_FOLDER = `${PROJECT_ROOT}.work`;
const RUNTIME_BASE_SCRIPT = `${PROJECT_ROOT}../shared/tools/denort.sh`;

/** Debian packages by the file that shows that they are there. */
const PACKAGE_FILES: Readonly<Record<string, string>> = {
  "buildah": "/usr/bin/buildah",
  "busybox-static": "/bin/busybox",
  "bzip2": "/bin/bzip2",
  "docker-registry": "/usr/bin/docker-registry",
  "iproute2": "/usr/sbin/ip",
  "libarchive-tools": "/usr/bin/bsdtar",
  "mmdebstrap": "/usr/bin/mmdebstrap",
  "openssl": "/usr/bin/openssl",
  "patchelf": "/usr/bin/patchelf",
  "python3": "/usr/bin/python3",
  "runc": "/usr/sbin/runc",
  "skopeo": "/usr/bin/skopeo",
  "strace": "/usr/bin/strace",
  "umoci": "/usr/bin/umoci",
  "xz-utils": "/usr/bin/xz",
  "zstd": "/usr/bin/zstd",
};

/** The packages that the whole test suite needs. */
export const TEST_PACKAGES: readonly string[] = Object.keys(PACKAGE_FILES);

/** The compiled program in its two forms. Paths are absolute. */
export interface Binaries {
  /** For hosts and CI runners. */
  readonly kiln: string;
  /** For the executor image; runs only with `libraries` at /kaniko/lib. */
  readonly executor: string;
  readonly libraries: string;
}

/** Installs those of `names` that are missing, with apt. Throws where apt cannot. */
export async function ensurePackages(names: readonly string[] = TEST_PACKAGES): Promise<void> {
  const isMissing = await Promise.all(names.map(async (name) => !await pathExists(PACKAGE_FILES[name] ?? "")));
  const missing = names.filter((_name, index) => isMissing[index]);
  if (missing.length === 0) return;
  say(`Installing ${missing.join(", ")}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await mustRun(["apt-get", "-q", "update"], { env });
  await mustRun(["apt-get", "-q", "install", "-y", "--no-install-recommends", ...missing], { env });
}

/** Path of a runtime base for `deno compile`, or undefined: then Deno downloads its own. */
export async function ensureRuntimeBase(): Promise<string | undefined> {
  const named = Deno.env.get("DENORT_BIN");
  if (named) return named;
  if (!await pathExists(RUNTIME_BASE_SCRIPT)) return undefined;
  return (await mustRun(["sh", RUNTIME_BASE_SCRIPT, `${WORK_FOLDER}/denort`])).trim();
}

/** Builds dist/kiln, dist/executor and dist/lib unless they were made from the present sources. */
export async function ensureBinaries(): Promise<Binaries> {
  await Deno.mkdir(WORK_FOLDER, { recursive: true });
  using lock = await Deno.open(`${WORK_FOLDER}/build.lock`, { write: true, create: true });
  await lock.lock(true);
  await ensurePackages(["patchelf"]);
  const options = { ...await projectBuild(true), runtimeBase: await ensureRuntimeBase() };
  const dist = options.outFolder;
  const stamp = await sourceState(options);
  if (await readStamp(dist) !== stamp) {
    say("Building dist/kiln and dist/executor");
    await Deno.mkdir(dist, { recursive: true });
    await build(options);
    await Deno.writeTextFile(`${dist}/built_from`, stamp);
  }
  return { kiln: `${dist}/kiln`, executor: `${dist}/executor`, libraries: `${dist}/lib` };
}

async function readStamp(dist: string): Promise<string | undefined> {
  const names = ["built_from", "kiln", "executor", "lib"];
  const present = await Promise.all(names.map((name) => pathExists(`${dist}/${name}`)));
  return present.every(Boolean) ? await Deno.readTextFile(`${dist}/built_from`) : undefined;
}

/** A digest over everything that goes into the binaries. */
async function sourceState(options: BuildOptions): Promise<string> {
  const listed = await mustRun(["find", "main.ts", "src", "deno.json", "deno.lock", ".ci", "-type", "f"], {
    cwd: PROJECT_ROOT,
  });
  const hash = createHash("sha256").update(`${Deno.version.deno} ${options.runtimeBase} ${options.compileDeno}\n`);
  for (const path of listed.trim().split("\n").sort()) {
    hash.update(`${path}\n`).update(await Deno.readFile(`${PROJECT_ROOT}${path}`));
  }
  return hash.digest("hex");
}

if (import.meta.main) {
  await ensurePackages();
  const { kiln } = await ensureBinaries();
  say(`Ready: ${kiln}`);
}
