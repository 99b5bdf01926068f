/** What all stages of one build share: the tools that steps work with and the places they take files from. */
import type { BuildContext } from "../context/context.ts";
import type { Image } from "../image/image.ts";
import type { ResolvedImage } from "../plan/plan.ts";
import type { ContentHasher } from "../rootfs/content_hash.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { Roots } from "../rootfs/roots.ts";
import type { Runner } from "../runner/runner.ts";
import type { LayerOptions } from "./build_request.ts";
import type { Services } from "./services.ts";
import type { WorkFolder } from "./work_folder.ts";

/** Made once by `build.ts`. */
export interface BuildSession {
  readonly context: BuildContext;
  readonly roots: Roots;
  readonly runner: Runner;
  readonly work: WorkFolder;
  readonly hasher: ContentHasher;
  readonly layers: LayerOptions;
  readonly services: Services;
  /** A base image whose layers are fetched into the work folder's layout when they are first opened. */
  readonly imageOf: (image: ResolvedImage) => Image;
  /** The kept files of a finished stage. */
  readonly stageFiles: (stageIndex: number) => Rootfs;
}
