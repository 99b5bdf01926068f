/**
 * The builder's own folder: blobs, roots of stages, unpacked images. A crash leaves nothing outside of it; disposing of
 * it removes everything that this build made.
 */
import { OciLayout } from "../blob/oci_layout.ts";
import { errorText, isBuilderError } from "../errors.ts";
import { DiskGauge } from "./disk_gauge.ts";
import { ContextError } from "../context/context_error.ts";

/** The parts of the folder; each exists, and belongs to this build alone. */
export class WorkFolder implements AsyncDisposable {
  /** Removed at the end, with all below it. */
  readonly path: string;
  /** Blobs of this build: base layers as fetched, new layers as written. */
  readonly layout: OciLayout;
  /** What the parts hold. */
  readonly disk = new DiskGauge();

  private constructor(path: string, layout: OciLayout) {
    this.path = path;
    this.layout = layout;
  }

  /** Makes a new folder in `parent`, which is made too when it is missing. */
  static async create(parent: string): Promise<WorkFolder> {
    try {
      await Deno.mkdir(parent, { recursive: true });
      const path = await Deno.makeTempDir({ dir: parent, prefix: "build-" });
      for (const part of ["layout", "stages", "images", "launch"]) await Deno.mkdir(`${path}/${part}`);
      return new WorkFolder(path, await OciLayout.open(`${path}/layout`));
    } catch (error: unknown) {
      if (isBuilderError(error)) throw error;
      const failure = { action: "make the work folder in", source: parent, reason: errorText(error) };
      throw new ContextError(failure, { cause: error });
    }
  }

  /** Roots of stages, one a folder, and the files of kept ones. */
  get stages(): string {
    return `${this.path}/stages`;
  }

  /** Images unpacked for COPY --from, one a folder. */
  get images(): string {
    return `${this.path}/images`;
  }

  /** What a launcher is told to do, one file a RUN. */
  get launch(): string {
    return `${this.path}/launch`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
