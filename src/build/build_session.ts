/** What all stages of one build share: the tools that steps work with and the places they take files from. */
import type { BuildContext } from "../context/context.ts";
import type { Image } from "../image/image.ts";
import type { ResolvedImage } from "../plan/plan.ts";
import type { ContentHasher } from "../rootfs/content_hash.ts";
import type { Roots } from "../rootfs/roots.ts";
import type { Runner } from "../runner/runner.ts";
import type { LayerOptions } from "./build_request.ts";
import type { DockerfileSource } from "./source_error.ts";
import type { RawPath } from "../sys/raw_path.ts";
import type { Services } from "./services.ts";
import type { RemoteFolders } from "./remote_folders.ts";
import type { MountSupplies } from "./step_mounts.ts";
import type { CacheTools } from "./stage_cache.ts";
import type { WorkFolder } from "./work_folder.ts";

/** Made once by `build.ts`. */
export interface BuildSession {
  readonly source: DockerfileSource;
  readonly context: BuildContext;
  readonly roots: Roots;
  readonly runner: Runner;
  readonly work: WorkFolder;
  readonly hasher: ContentHasher;
  readonly layers: LayerOptions;
  /** SOURCE_DATE_EPOCH, nanoseconds since 1970. */
  readonly epochNs: bigint | undefined;
  /** When layers are said to be made, milliseconds since 1970: the clock's time unless the build is reproducible. */
  readonly createdMs: () => number;
  /** What RUN --mount takes from outside the build. */
  readonly supplies: MountSupplies;
  readonly services: Services;
  /** A base image whose layers are fetched into the work folder's layout when they are first opened. */
  readonly imageOf: (image: ResolvedImage) => Image;
  /** What is fetched for ADD and for named contexts. */
  readonly remotes: RemoteFolders;
  /** The folder with an image's files, unpacked at the first call. */
  readonly imageFiles: (image: ResolvedImage) => Promise<RawPath>;
  /** Absent where the build uses no cache. */
  readonly caching?: CacheTools | undefined;
}
