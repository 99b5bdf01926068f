/** One step carried out on a stage's root: run or copy, then what changed becomes a layer of the image. */
import type { Image } from "../image/image.ts";
import { appendHistory } from "../image/mutate.ts";
import type { RunStep, Step, WorkdirStep } from "../plan/plan.ts";
import { changesOf } from "../rootfs/changed_paths.ts";
import { ImplicitDirectories } from "../rootfs/implicit_directories.ts";
import { resolveChown, resolveUser } from "../rootfs/owner.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import { exitCodeOf, runError } from "../runner/runner.ts";
import type { Change } from "../snapshot/diff_trees.ts";
import { rawPath } from "../sys/raw_path.ts";
import type { BuildSession } from "./build_session.ts";
import { copyFiles } from "./copy_step.ts";
import type { StageRoot } from "./stage_root.ts";
import { type MountingPlace, openStepMounts, type StepMounts } from "./step_mounts.ts";
import { appendStep, type Layering } from "./step_layer.ts";

/** Where a step works. */
export interface StepPlace {
  /** The image so far. */
  readonly image: Image;
  /** Unpacks the stage's root at the first call; gives the same root at each. */
  readonly materialise: () => Promise<StageRoot>;
  /** The stage's root if it is unpacked already. */
  readonly liveRoot: () => StageRoot | undefined;
  /** The files of finished stages, by stage index. */
  readonly kept: ReadonlyMap<number, Rootfs>;
  /** Time of what a step makes without naming its time, nanoseconds since 1970. */
  readonly implicitTimeNs: bigint;
  readonly layering: Layering;
}

/** Carries out `step` and gives the image with its history entry and, unless it is metadata, its layer. */
export async function runStep(step: Step, place: StepPlace, session: BuildSession): Promise<Image> {
  switch (step.kind) {
    case "metadata":
      return appendHistory(place.image, step.history);
    case "run": {
      const root = await place.materialise();
      const changes = await runCommand(step, place, root, session);
      return await appendStep(step, { ...place, root, changes }, session);
    }
    case "copy":
      return await copyFiles(step, place, session);
    case "workdir": {
      const root = await place.materialise();
      const changes = makeWorkdir(step, place, root);
      return await appendStep(step, { ...place, root, changes }, session);
    }
  }
}

async function runCommand(
  step: RunStep,
  { layering, kept }: StepPlace,
  root: StageRoot,
  session: BuildSession,
): Promise<readonly Change[]> {
  const { rootfs } = root;
  const { services } = session;
  const user = resolveUser(rootfs, step.user);
  if (layering === "step") root.takeBaseline();
  rootfs.makeDirectories(rootfs.resolve(rawPath(step.workdir), true), { uid: 0, gid: 0, mode: 0o755 });
  const hasHome = step.env.some((variable) => variable.startsWith("HOME="));
  const env = hasHome ? step.env : [...step.env, `HOME=${user.home}`];
  const spec = {
    root: rootfs.path,
    argv: step.argv,
    workdir: step.workdir,
    uid: user.uid,
    gid: user.gid,
    // The primary group is a supplementary one too, as in BuildKit: else a process could drop it and lose its denials.
    groups: user.groups.includes(user.gid) ? user.groups : [user.gid, ...user.groups],
    network: step.network,
  };
  const status = await withMounts(step, { rootfs, kept }, session, (mounted) => {
    const own = { ...spec, mounts: mounted.mounts, env: withVariables(env, mounted.env) };
    return session.runner.run(own, { write: services.stepOutput }, services.signal);
  });
  if (status.kind === "signalled" || exitCodeOf(status) !== 0) throw runError(status, step.title);
  if (layering === "step") return root.changesSinceBaseline();
  root.markUnknown();
  return [];
}

async function withMounts<T>(
  step: RunStep,
  place: MountingPlace,
  session: BuildSession,
  run: (mounts: StepMounts) => Promise<T>,
): Promise<T> {
  await using mounts = await openStepMounts(step, place, session);
  return await run(mounts);
}

/** `env` with `added`, which replace those of the same names. */
function withVariables(env: readonly string[], added: readonly string[]): readonly string[] {
  const names = new Set(added.map((entry) => entry.slice(0, entry.indexOf("="))));
  return [...env.filter((entry) => !names.has(entry.slice(0, entry.indexOf("=")))), ...added];
}

/** Makes the directory and its missing parents, owned by the current user as COPY --chown reads it (BuildKit, WORKDIR). */
function makeWorkdir(step: WorkdirStep, { implicitTimeNs }: StepPlace, root: StageRoot): readonly Change[] {
  const { rootfs } = root;
  const owner = step.user === "" ? { uid: 0, gid: 0 } : resolveChown(rootfs, step.user);
  const directories = new ImplicitDirectories(rootfs, implicitTimeNs);
  root.markWritten();
  const made = directories.make(rootfs.resolve(rawPath(step.path), true), { ...owner, mode: 0o755 });
  directories.finish();
  return changesOf(made);
}
