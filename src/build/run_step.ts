/** One step carried out on a stage's root: run or copy, then what changed becomes a layer of the image. */
import { type Image } from "../image/image.ts";
import { appendHistory, appendLayer } from "../image/mutate.ts";
import { decompressAny } from "../layer/compression.ts";
import { writeLayer } from "../layer/write_layer.ts";
import type { CopyStep, RunStep, Step, WorkdirStep } from "../plan/plan.ts";
import { copyInto } from "../rootfs/copy_into.ts";
import { resolveUser } from "../rootfs/owner.ts";
import { runError } from "../runner/run_error.ts";
import type { Change } from "../snapshot/diff_trees.ts";
import { rawPath } from "../sys/raw_path.ts";
import type { BuildSession } from "./build_session.ts";
import { copySource } from "./copy_source.ts";
import type { StageRoot } from "./stage_root.ts";

/** Unpacks the stage's root at the first call; gives the same root at each. */
export type Materialise = () => Promise<StageRoot>;

/** Carries out `step` and gives the image with its history entry and, unless it is metadata, its layer. */
export async function runStep(step: Step, image: Image, root: Materialise, session: BuildSession): Promise<Image> {
  switch (step.kind) {
    case "metadata":
      return appendHistory(image, step.history);
    case "run":
      return await withLayer(step, image, await root(), session, runCommand);
    case "copy":
      return await withLayer(step, image, await root(), session, copyFiles);
    case "workdir":
      return await withLayer(step, image, await root(), session, makeWorkdir);
  }
}

type Action<S> = (step: S, root: StageRoot, session: BuildSession) => Promise<readonly Change[]>;

async function withLayer<S extends Step>(
  step: S,
  image: Image,
  root: StageRoot,
  session: BuildSession,
  action: Action<S>,
): Promise<Image> {
  const { services, layers, work } = session;
  const changes = await action(step, root, session);
  const layer = await writeLayer(changes, root.rootfs, {
    hasher: root.hasher,
    known: root.known,
    compression: layers.compression,
    ...(layers.level !== undefined && { level: layers.level }),
    format: image.format,
    store: work.layout,
    signal: services.signal,
  });
  services.log.debug("Layer written", { digest: layer.descriptor.digest, size: layer.descriptor.size });
  return appendLayer(image, layer, { history: step.history, createdMs: services.nowMs() });
}

async function runCommand(step: RunStep, root: StageRoot, session: BuildSession): Promise<readonly Change[]> {
  const { rootfs } = root;
  const user = resolveUser(rootfs, step.user);
  root.takeBaseline();
  const workdir = rootfs.resolve(rawPath(step.workdir), true);
  rootfs.makeDirectories(workdir, { uid: 0, gid: 0, mode: 0o755 });
  const hasHome = step.env.some((variable) => variable.startsWith("HOME="));
  const status = await session.runner.run(
    {
      root: rootfs.path,
      argv: step.argv,
      env: hasHome ? step.env : [...step.env, `HOME=${user.home}`],
      workdir: step.workdir,
      uid: user.uid,
      gid: user.gid,
      groups: user.groups,
      ...(step.script && { script: step.script }),
    },
    { write: session.services.stepOutput },
    session.services.signal,
  );
  const failure = runError(status, step.title);
  if (failure !== undefined) throw failure;
  return root.changesSinceBaseline();
}

async function copyFiles(step: CopyStep, root: StageRoot, session: BuildSession): Promise<readonly Change[]> {
  const source = await copySource(step.source, session);
  root.markWritten();
  return await copyInto(step, source, root.rootfs, {
    hasher: root.hasher,
    known: root.known,
    decompress: decompressAny,
    log: session.services.log,
    signal: session.services.signal,
  });
}

function makeWorkdir(step: WorkdirStep, root: StageRoot, _session: BuildSession): Promise<readonly Change[]> {
  const { rootfs } = root;
  const user = resolveUser(rootfs, step.user);
  const path = rootfs.resolve(rawPath(step.path), true);
  root.markWritten();
  const made = rootfs.makeDirectories(path, { uid: user.uid, gid: user.gid, mode: 0o755 });
  return Promise.resolve(made.map((inner) => ({ kind: "write", path: inner })));
}
