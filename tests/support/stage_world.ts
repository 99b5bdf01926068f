/** A build session over temporary folders, with a runner that runs a function instead of a program. */
import type { BuildSession } from "../../src/build/build_session.ts";
import { CacheFolders } from "../../src/build/cache_folders.ts";
import { RemoteFolders } from "../../src/build/remote_folders.ts";
import type { Services } from "../../src/build/services.ts";
import { WorkFolder } from "../../src/build/work_folder.ts";
import { openContext } from "../../src/context/context.ts";
import type { Image } from "../../src/image/image.ts";
import type { CopyStep, Plan, RunStep, StagePlan, Step } from "../../src/plan/plan.ts";
import { createContentHasher } from "../../src/rootfs/content_hash.ts";
import { FolderRoots } from "../../src/rootfs/folder_roots.ts";
import type { ExitStatus, Runner, RunSpec } from "../../src/runner/runner.ts";
import { pathText, rawPath } from "../../src/sys/raw_path.ts";
import { recordingLogger } from "./registry_world.ts";

/** What a step of a test does instead of a command; the root's folder on the machine is given. */
export type FakeCommand = (root: string, spec: RunSpec) => number;

/** A session and what is behind it. Disposing removes all folders. */
export interface StageWorld extends AsyncDisposable {
  readonly session: BuildSession;
  readonly contextPath: string;
  /** Commands that the runner was asked for, in order. */
  readonly runs: readonly RunSpec[];
}

/** The place of steps that stand nowhere. */
export const NOWHERE = { startLine: 1, endLine: 1 };
export const LINUX = { os: "linux", architecture: "amd64" } as const;

/** Makes a session; `command` stands for every RUN, `images` for every base image. */
export async function makeStageWorld(
  command: FakeCommand = () => 0,
  images: (digest: string) => Image = () => {
    throw new TypeError("no image");
  },
): Promise<StageWorld> {
  const base = await Deno.makeTempDir({ prefix: "kiln-build-" });
  const contextPath = `${base}/context`;
  await Deno.mkdir(contextPath);
  const work = await WorkFolder.create(`${base}/work`);
  const runs: RunSpec[] = [];
  const session: BuildSession = {
    source: { path: "Dockerfile", text: "FROM scratch\n" },
    context: await openContext(contextPath, { dockerfile: "Dockerfile", currentDirectory: base }),
    roots: new FolderRoots(rawPath(work.stages)),
    runner: fakeRunner(command, runs),
    work,
    hasher: await createContentHasher(),
    layers: { compression: "gzip" },
    epochNs: undefined,
    createdMs: Date.now,
    supplies: {
      secrets: new Map(),
      agents: new Map(),
      caches: new CacheFolders({ parent: rawPath(`${base}/caches`), inplaceRoot: undefined }),
    },
    services: testServices(base),
    imageOf: (resolved) => images(resolved.digest),
    remotes: new RemoteFolders(),
    imageFiles: () => Promise.reject(new TypeError("no image")),
  };
  return {
    session,
    contextPath,
    runs,
    [Symbol.asyncDispose]: async () => await Deno.remove(base, { recursive: true }),
  };
}

/** Services without a world: no environment, the real clock, output that is dropped. */
export function testServices(currentDirectory: string): Services {
  return {
    log: recordingLogger([]),
    signal: new AbortController().signal,
    nowMs: Date.now,
    env: {},
    currentDirectory,
    selfCommand: [],
    conceal: () => {},
    stepOutput: () => {},
  };
}

/** A stage of `steps` on scratch, with more said where it matters. */
export function stageOf(index: number, steps: readonly Step[], more: Partial<StagePlan> = {}): StagePlan {
  return { index, base: { kind: "scratch" }, platform: LINUX, steps, config: { WorkingDir: "/" }, ...more };
}

/** A plan of these stages, the last being the target. */
export function planOf(...stages: readonly [StagePlan, ...StagePlan[]]): Plan {
  return { target: stages.at(-1) ?? stages[0], stages, warnings: [] };
}

/** A RUN as root in "/". */
export function runStepOf(title = "RUN x", more: Partial<RunStep> = {}): RunStep {
  return {
    kind: "run",
    range: NOWHERE,
    title,
    history: title,
    argv: ["x"],
    env: [],
    user: "",
    workdir: "/",
    network: "default",
    ...more,
  };
}

/** A COPY from the context, or from what `more` says. */
export function copyStepOf(pattern: string, destination: string, more: Partial<CopyStep> = {}): CopyStep {
  return {
    kind: "copy",
    range: NOWHERE,
    title: `COPY ${pattern} ${destination}`,
    history: `COPY ${pattern} ${destination}`,
    instruction: "COPY",
    source: { kind: "context" },
    patterns: [pattern],
    inlineFiles: [],
    destination,
    exclude: [],
    unpack: false,
    parents: false,
    link: false,
    ...more,
  };
}

function fakeRunner(command: FakeCommand, runs: RunSpec[]): Runner {
  return {
    run(spec): Promise<ExitStatus> {
      runs.push(spec);
      const code = command(pathText(spec.root), spec);
      return Promise.resolve({ kind: "exited", code, durationMs: 0, lastLines: [] });
    },
  };
}
