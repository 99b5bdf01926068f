/** COPY and ADD carried out: files put into the stage's root or, with --link, into an empty one whose layer is then laid over it. */
import type { Image } from "../image/image.ts";
import { decompressAny } from "../layer/compression.ts";
import type { CopyStep } from "../plan/plan.ts";
import { changesOf } from "../rootfs/changed_paths.ts";
import { copyInto } from "../rootfs/copy_into.ts";
import { Rootfs } from "../rootfs/rootfs.ts";
import { rawPath } from "../sys/raw_path.ts";
import type { BuildSession } from "./build_session.ts";
import { copySource } from "./copy_source.ts";
import type { StepPlace } from "./run_step.ts";
import { type ChangedRoot, withStepLayer, writeStepLayer } from "./step_layer.ts";
import { unpackLayer } from "./unpack.ts";

/** Carries out `step` and gives the image with its layer. */
export async function copyFiles(step: CopyStep, place: StepPlace, session: BuildSession): Promise<Image> {
  if (step.link) return await copyLinked(step, place, session);
  const root = await place.materialise();
  root.markWritten();
  const layer = await copyToLayer(step, root, place, session);
  return withStepLayer(place.image, layer, step.history, session);
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
    const layer = await copyToLayer(step, empty, place, session);
    const live = place.liveRoot();
    if (live !== undefined) {
      live.markWritten();
      await unpackLayer(layer, live.rootfs, live.known, session);
    }
    return withStepLayer(place.image, layer, step.history, session);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function copyToLayer(
  step: CopyStep,
  root: ChangedRoot,
  { kept, image, implicitTimeNs }: StepPlace,
  session: BuildSession,
): Promise<Parameters<typeof withStepLayer>[1]> {
  const { log, signal } = session.services;
  const source = await copySource(step.source, kept, session);
  const { hasher, known } = root;
  const options = { hasher, known, decompress: decompressAny, log, signal, implicitTimeNs };
  const written = await copyInto(step, source, root.rootfs, options);
  return await writeStepLayer(changesOf(written), root, image.format, session);
}
