/**
 * Where COPY and ADD take their files from: the context, a finished stage, a named context, or an image
 * unpacked for it once.
 */
import type { CopySource, ResolvedImage } from "../plan/plan.ts";
import type { CopyTree } from "../rootfs/copy_source.ts";
import { Rootfs } from "../rootfs/rootfs.ts";
import { type RawPath, rawPath } from "../sys/raw_path.ts";
import type { BuildSession } from "./build_session.ts";
import { unpackLayers } from "./unpack.ts";

/** The tree of files behind `source`. */
export async function copySource(
  source: CopySource,
  kept: ReadonlyMap<number, Rootfs>,
  session: BuildSession,
): Promise<CopyTree> {
  switch (source.kind) {
    case "context":
      return { root: session.context.root, filter: session.context.ignore, keepsOwner: false };
    case "stage":
      return { root: keptFiles(source.stageIndex, kept).path, keepsOwner: true };
    case "named":
      return await session.remotes.named(source.files, session);
    case "image":
      return { root: await session.imageFiles(source.image), keepsOwner: true };
  }
}

function keptFiles(stageIndex: number, kept: ReadonlyMap<number, Rootfs>): Rootfs {
  const rootfs = kept.get(stageIndex);
  if (rootfs === undefined) throw new TypeError(`stage ${stageIndex} was not kept`);
  return rootfs;
}

/** Images unpacked for COPY --from, each once, whole, in a folder of its own. */
export class ImageFolders {
  readonly #folders = new Map<string, Promise<RawPath>>();

  /** The folder with the files of `image`. */
  unpacked(image: ResolvedImage, session: BuildSession): Promise<RawPath> {
    const known = this.#folders.get(image.digest);
    if (known !== undefined) return known;
    const folder = unpackInto(`${session.work.images}/${image.digest.replace(":", "-")}`, image, session);
    this.#folders.set(image.digest, folder);
    return folder;
  }
}

async function unpackInto(path: string, image: ResolvedImage, session: BuildSession): Promise<RawPath> {
  await Deno.mkdir(path, { mode: 0o755 });
  const rootfs = new Rootfs(rawPath(path), []);
  await unpackLayers(session.imageOf(image).layers, rootfs, new Map(), session);
  return rootfs.path;
}
