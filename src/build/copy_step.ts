/** COPY and ADD carried out: files put into the stage's root or, with --link, into an empty one whose layer is then laid over it. */
import type { Image } from "../image/image.ts";
import { decompressAny } from "../layer/compression.ts";
import type { CopyStep } from "../plan/plan.ts";
import { changesOf } from "../rootfs/changed_paths.ts";
import { copyInto as copyIntoRoot, type FetchedSource } from "../rootfs/copy_into.ts";
import { Rootfs } from "../rootfs/rootfs.ts";
import type { Change } from "../snapshot/diff_trees.ts";
import { rawPath } from "../sys/raw_path.ts";
import type { BuildSession } from "./build_session.ts";
import { copySource } from "./copy_source.ts";
import type { StepPlace } from "./run_step.ts";
import { appendStep, type ChangedRoot, withStepLayer, writeStepLayer } from "./step_layer.ts";
import { unpackLayer } from "./unpack.ts";

/** Carries out `step` and gives the image with its layer. */
export async function copyFiles(step: CopyStep, place: StepPlace, session: BuildSession): Promise<Image> {
  if (step.link) return await copyLinked(step, place, session);
  const root = await place.materialise();
  root.markWritten();
  const changes = await copyInto(step, root, place, session);
  return await appendStep(step, { ...place, root, changes }, session);
}

/**
 * The layer knows nothing of those below it: links at the destination are replaced by directories, and names of --chown
 * cannot be looked up. A live root gets the layer as any consumer of the image would.
 */
async function copyLinked(step: CopyStep, place: StepPlace, session: BuildSession): Promise<Image> {
  const folder = await Deno.makeTempDir({ dir: session.work.path, prefix: "link-" });
  try {
    await Deno.chmod(folder, 0o755);
    const empty = { rootfs: new Rootfs(rawPath(folder), []), hasher: session.hasher, known: new Map() };
    const changes = await copyInto(step, empty, place, session);
    const layer = await writeStepLayer(changes, empty, place.image.format, session);
    const root = place.layering === "step" ? place.liveRoot() : await place.materialise();
    root?.markWritten();
    if (root !== undefined) await unpackLayer(layer, root.rootfs, root.known, session);
    if (place.layering === "step" || root === undefined) {
      return withStepLayer(place.image, layer, step.history, session);
    }
    await session.work.layout.remove(layer.descriptor);
    return await appendStep(step, { ...place, root, changes }, session);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function copyInto(
  step: CopyStep,
  root: ChangedRoot,
  { kept, implicitTimeNs }: StepPlace,
  session: BuildSession,
): Promise<readonly Change[]> {
  const { log, signal } = session.services;
  const source = await copySource(step.source, kept, session);
  const fetched: FetchedSource[] = [];
  for (const remote of step.remotes ?? []) fetched.push(await session.remotes.fetched(remote, session));
  const { hasher, known } = root;
  const options = { hasher, known, decompress: decompressAny, log, signal, implicitTimeNs, fetched };
  return changesOf(await copyIntoRoot(step, source, root.rootfs, options));
}
