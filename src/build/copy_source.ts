/** Where COPY and ADD take their files from: the context, a finished stage, or an image unpacked for it once. */
import type { CopySource, ResolvedImage } from "../plan/plan.ts";
import type { CopyTree } from "../rootfs/copy_source.ts";
import { Rootfs } from "../rootfs/rootfs.ts";
import { rawPath } from "../sys/raw_path.ts";
import type { BuildSession } from "./build_session.ts";
import { unpackImage } from "./unpack.ts";

/** The tree of files behind `source`. */
export async function copySource(
  source: CopySource,
  kept: ReadonlyMap<number, Rootfs>,
  session: BuildSession,
): Promise<CopyTree> {
  switch (source.kind) {
    case "context":
      return session.context;
    case "stage":
      return { root: keptFiles(source.stageIndex, kept).path };
    case "image":
      return { root: await session.imageFiles(source.image) };
  }
}

function keptFiles(stageIndex: number, kept: ReadonlyMap<number, Rootfs>): Rootfs {
  const rootfs = kept.get(stageIndex);
  if (rootfs === undefined) throw new TypeError(`stage ${stageIndex} was not kept`);
  return rootfs;
}

/** Images unpacked for COPY --from, each once, whole, in a folder of its own. */
export class ImageFolders {
  readonly #folders = new Map<string, Promise<string>>();

  /** The folder with the files of `image`. */
  unpacked(image: ResolvedImage, session: BuildSession): Promise<string> {
    const known = this.#folders.get(image.digest);
    if (known !== undefined) return known;
    const folder = unpackInto(`${session.work.images}/${image.digest.replace(":", "-")}`, image, session);
    this.#folders.set(image.digest, folder);
    return folder;
  }
}

async function unpackInto(path: string, image: ResolvedImage, session: BuildSession): Promise<string> {
  await Deno.mkdir(path, { mode: 0o755 });
  await unpackImage(session.imageOf(image), new Rootfs(rawPath(path), []), new Map(), session);
  return path;
}
