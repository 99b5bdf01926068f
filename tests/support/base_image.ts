/** Turns a tar of a root filesystem into an OCI layout with one image, and moves such layouts into a registry. */
import { createHash } from "node:crypto";
import { mustRun } from "./run_command.ts";
import type { RegistryProcess } from "./registry_process.ts";

/** What the image's config says beside its one layer. */
export interface BaseImageConfig {
  readonly env: readonly string[];
  readonly cmd: readonly string[];
  /** ISO time in the config. */
  readonly created: string;
}

const ARCHITECTURES: Readonly<Record<typeof Deno.build.arch, string>> = { x86_64: "amd64", aarch64: "arm64" };

/** Writes `folder` as an OCI layout whose index names one image (`latest`), with `tarPath` (uncompressed) as its layer. */
export async function writeBaseLayout(folder: string, tarPath: string, config: BaseImageConfig): Promise<void> {
  await Deno.mkdir(`${folder}/blobs/sha256`, { recursive: true });
  const gzipPath = `${folder}/layer.tar.gz`;
  await mustRun(["sh", "-c", 'exec gzip -n -6 <"$1" >"$2"', "sh", tarPath, gzipPath]);
  const layer = { digest: await fileDigest(gzipPath), size: (await Deno.stat(gzipPath)).size };
  await Deno.rename(gzipPath, blobPath(folder, layer.digest));
  const configBlob = await writeJsonBlob(folder, {
    created: config.created,
    architecture: ARCHITECTURES[Deno.build.arch],
    os: "linux",
    config: { Env: config.env, Cmd: config.cmd },
    rootfs: { type: "layers", diff_ids: [await fileDigest(tarPath)] },
    history: [{ created: config.created, created_by: "base root filesystem" }],
  });
  const manifest = await writeJsonBlob(folder, {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...configBlob },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...layer }],
  });
  const entry = {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    ...manifest,
    annotations: { "org.opencontainers.image.ref.name": "latest" },
  };
  await Deno.writeTextFile(`${folder}/index.json`, JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  await Deno.writeTextFile(`${folder}/oci-layout`, JSON.stringify({ imageLayoutVersion: "1.0.0" }));
}

/** Copies the image of an OCI layout to `registry` under each of `names`, such as `library/debian:bookworm`. */
export async function pushLayout(
  layout: string,
  registry: RegistryProcess,
  names: readonly string[],
  login?: { readonly user: string; readonly password: string },
): Promise<void> {
  const flags = ["--quiet", "--insecure-policy", "--dest-tls-verify=false"];
  if (login !== undefined) flags.push(`--dest-creds=${login.user}:${login.password}`);
  for (const name of names) {
    await mustRun(["skopeo", "copy", ...flags, `oci:${layout}:latest`, `docker://${registry.host}/${name}`]);
  }
}

interface StoredBlob {
  readonly digest: string;
  readonly size: number;
}

async function writeJsonBlob(folder: string, content: unknown): Promise<StoredBlob> {
  const bytes = new TextEncoder().encode(JSON.stringify(content));
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  await Deno.writeFile(blobPath(folder, digest), bytes);
  return { digest, size: bytes.length };
}

async function fileDigest(path: string): Promise<string> {
  using file = await Deno.open(path);
  const hash = createHash("sha256");
  for await (const chunk of file.readable) hash.update(chunk);
  return `sha256:${hash.digest("hex")}`;
}

function blobPath(folder: string, digest: string): string {
  return `${folder}/blobs/sha256/${digest.replace("sha256:", "")}`;
}
