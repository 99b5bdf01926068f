/** Reads built images with other people's programs: skopeo, umoci. */
import { mustRun } from "./run_command.ts";
import { makeTempDir } from "./temp_dir.ts";

/** The parts of an image config that tests look at, as skopeo prints them. */
export interface InspectedConfig {
  readonly author?: string;
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly rootfs: { readonly diff_ids: readonly string[] };
  readonly history: readonly { readonly created_by: string; readonly empty_layer?: boolean }[];
}

/** An image's files. Disposing removes them. */
export interface UnpackedImage extends AsyncDisposable {
  /** The root filesystem. */
  readonly root: string;
}

/** The config of an image in skopeo's words, such as `oci:/path:latest`. */
export async function inspectConfig(image: string, flags: readonly string[] = []): Promise<InspectedConfig> {
  return JSON.parse(await mustRun(["skopeo", "inspect", ...flags, "--config", image]));
}

/** The manifest's digest and the layers' digests of an image in skopeo's words. */
export async function inspectDigests(
  image: string,
  flags: readonly string[] = [],
): Promise<{ readonly digest: string; readonly layers: readonly string[] }> {
  const { Digest, Layers } = JSON.parse(await mustRun(["skopeo", "inspect", ...flags, image]));
  return { digest: Digest, layers: Layers };
}

/** Unpacks `layout:tag` with umoci. */
export async function unpackLayout(layout: string, tag = "latest"): Promise<UnpackedImage> {
  const folder = await makeTempDir();
  try {
    await mustRun(["umoci", "unpack", "--image", `${layout}:${tag}`, `${folder.path}/bundle`]);
    return { root: `${folder.path}/bundle/rootfs`, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
  } catch (error: unknown) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

/** What find prints about `paths` below `root` with `format`, one line each, sorted. */
export async function describeFiles(
  root: string,
  paths: readonly string[],
  format: string,
): Promise<readonly string[]> {
  const found = await mustRun(["find", ...paths, "-printf", `${format}\\n`], { cwd: root });
  return found.trim().split("\n").sort();
}

/** What the steps of a build printed: stderr without the builder's own lines. */
export function printedBySteps(stderr: string): readonly string[] {
  return stderr.trimEnd().split("\n").filter((line) => !/^(INFO|WARN|ERRO|DEBU) /.test(line));
}
