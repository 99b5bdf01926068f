/**
 * `deno task build`: bundles the program, then compiles it into `dist/kiln`. With `--executor` also into `dist/executor`, which
 * runs on the C library of `dist/lib` and goes into the executor image.
 *
 * DENORT_BIN names a runtime base for `deno compile` where Deno cannot download its own; it is used by the Deno version in
 * KILN_COMPILE_DENO (an npm package version, 2.4.2 without it).
 */
import { mustRun, say } from "../tests/support/run_command.ts";
import { readDownloadedBase } from "./runtime_base.ts";

const PROJECT_ROOT = new URL("..", import.meta.url).pathname;
const LIBRARY_FOLDER = "/kaniko/lib";
const DEFAULT_COMPILE_DENO = "2.4.2";
/** Packages that read files of their own, and so stay outside of the bundle: `deno compile` takes them in whole. */
const UNBUNDLED_PACKAGES: readonly string[] = ["@bokuweb/zstd-wasm"];

/** What to build from and where to. Paths are absolute. */
export interface BuildOptions {
  /** Entry point, a TypeScript file. */
  readonly entry: string;
  /** Entry points of Workers; their base names must differ, because the bundle lays them side by side. */
  readonly workers: readonly string[];
  /** Folder that receives `bundle/`, `kiln`, and with `isExecutor` also `lib/` and `executor`. */
  readonly outFolder: string;
  readonly isExecutor: boolean;
  /** A runtime base for `deno compile`; without it Deno takes or downloads its own. */
  readonly runtimeBase: string | undefined;
  /** Version of the npm package `deno` that goes with `runtimeBase`. */
  readonly compileDeno: string;
}

/** The options of the project itself. */
export async function projectBuild(isExecutor: boolean): Promise<BuildOptions> {
  return {
    entry: `${PROJECT_ROOT}main.ts`,
    workers: await findWorkers(`${PROJECT_ROOT}src`),
    outFolder: `${PROJECT_ROOT}dist`,
    isExecutor,
    runtimeBase: Deno.env.get("DENORT_BIN") || undefined,
    compileDeno: Deno.env.get("KILN_COMPILE_DENO") || DEFAULT_COMPILE_DENO,
  };
}

/** Bundles and compiles. Throws with the tool's output where a step fails. */
export async function build(options: BuildOptions): Promise<void> {
  await bundle(options);
  await compile(options, options.runtimeBase, "kiln");
  if (!options.isExecutor) return;
  await collectLibraries(`${options.outFolder}/lib`);
  const base = await relocatedBase(options);
  await compile(options, base, "executor");
  await Deno.remove(base);
}

async function findWorkers(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...await findWorkers(path));
    else if (entry.name.endsWith("_worker.ts")) found.push(path);
  }
  return found.sort();
}

/**
 * One script per entry. A Worker is started by `new URL("./name_worker.ts", import.meta.url)`, and after bundling every
 * caller lies in `bundle/`: so each worker becomes one self-contained file there, under the name that the URL has.
 */
async function bundle(options: BuildOptions): Promise<void> {
  const folder = `${options.outFolder}/bundle`;
  await Deno.remove(folder, { recursive: true }).catch(ignoreNotFound);
  await Deno.mkdir(folder, { recursive: true });
  const external = UNBUNDLED_PACKAGES.map((name) => `--external=${name}`);
  const flags = ["bundle", "--quiet", "--frozen-lockfile", "--platform=deno", ...external];
  await mustRun([Deno.execPath(), ...flags, "--code-splitting", `--outdir=${folder}`, options.entry], {
    cwd: PROJECT_ROOT,
  });
  const mainScript = `${folder}/${baseName(options.entry).replace(/\.ts$/, ".js")}`;
  if (mainScript !== `${folder}/main.js`) await Deno.rename(mainScript, `${folder}/main.js`);
  for (const worker of options.workers) {
    await mustRun([Deno.execPath(), ...flags, `--output=${folder}/${baseName(worker)}`, worker], { cwd: PROJECT_ROOT });
  }
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports: await unbundledImports() }));
}

/** The exact versions that the project's own import map names, since the bundle is compiled without its lock. */
async function unbundledImports(): Promise<Readonly<Record<string, string>>> {
  const { imports } = JSON.parse(await Deno.readTextFile(`${PROJECT_ROOT}deno.json`));
  return Object.fromEntries(UNBUNDLED_PACKAGES.map((name) => [name, imports[name]]));
}

/**
 * Compiles the bundle. The V8 code cache is off, because a program keeps it in /tmp, and what lies in /tmp of a build's
 * root filesystem would become part of the image.
 */
async function compile(options: BuildOptions, runtimeBase: string | undefined, name: string): Promise<void> {
  const output = `${options.outFolder}/${name}`;
  const includes = options.workers.flatMap((worker) => ["--include", baseName(worker)]);
  const flags = ["--quiet", "-A", "--no-check", "--no-lock", "--config=deno.json", "--no-code-cache"];
  const deno = runtimeBase === undefined ? [Deno.execPath()] : ["npx", "-y", `deno@${options.compileDeno}`];
  await mustRun([...deno, "compile", ...flags, ...includes, "--output", `${output}.new`, "main.js"], {
    cwd: `${options.outFolder}/bundle`,
    env: runtimeBase === undefined ? {} : { DENORT_BIN: runtimeBase },
  });
  await Deno.rename(`${output}.new`, output);
}

async function collectLibraries(folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch(ignoreNotFound);
  await mustRun(["sh", `${PROJECT_ROOT}.ci/collect_libraries.sh`, folder]);
}

/**
 * A copy of the runtime base whose loader and libraries lie in the image's own folder. It has to be changed before
 * compiling: afterwards the program's own data would no longer be found. DT_RPATH, not RUNPATH, because an image's
 * LD_LIBRARY_PATH must not come first.
 */
async function relocatedBase(options: BuildOptions): Promise<string> {
  const base = `${options.outFolder}/runtime_base`;
  if (options.runtimeBase === undefined) await Deno.writeFile(base, await readDownloadedBase(), { mode: 0o755 });
  else await Deno.copyFile(options.runtimeBase, base);
  const loader = Deno.build.arch === "aarch64" ? "ld-linux-aarch64.so.1" : "ld-linux-x86-64.so.2";
  const interpreter = ["--set-interpreter", `${LIBRARY_FOLDER}/${loader}`];
  await mustRun(["patchelf", ...interpreter, "--force-rpath", "--set-rpath", LIBRARY_FOLDER, base]);
  return base;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

if (import.meta.main) {
  const isExecutor = Deno.args.includes("--executor");
  const options = await projectBuild(isExecutor);
  await build(options);
  for (const name of isExecutor ? ["kiln", "executor"] : ["kiln"]) {
    const { size } = await Deno.stat(`${options.outFolder}/${name}`);
    say(`dist/${name}: ${(size / 1e6).toFixed(1)} MB`);
  }
}
