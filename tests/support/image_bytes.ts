/** Everything that an image of an OCI layout consists of, for a search in it: no byte of a secret may be there. */
import { runCommand } from "./run_command.ts";

/** The blobs of a layout, decompressed, one char a byte; the names in its layers are among them. */
export async function imageBytes(layout: string): Promise<string> {
  const parts: string[] = [];
  for await (const { name } of Deno.readDir(`${layout}/blobs/sha256`)) {
    parts.push(latin1(await plain(await Deno.readFile(`${layout}/blobs/sha256/${name}`))));
  }
  return parts.join("\n");
}

/** The paths in all layers of a layout's image `latest`, lowest layer first, sorted within each; without the base's. */
export async function layerPaths(layout: string, skippedLayers: number): Promise<readonly (readonly string[])[]> {
  const index: { readonly manifests: readonly StoredBlob[] } = await readJson(`${layout}/index.json`);
  const manifest: { readonly layers: readonly StoredBlob[] } = await readJson(
    blobPath(layout, index.manifests[0]?.digest),
  );
  const digests = manifest.layers.map(({ digest }) => digest);
  return await Promise.all(
    digests.slice(skippedLayers).map(async (digest) => {
      const { stdout } = await runCommand(["tar", "-tzf", blobPath(layout, digest)]);
      return stdout.split("\n").filter((line) => line !== "").map((line) => line.replace(/\/$/, "")).sort();
    }),
  );
}

interface StoredBlob {
  readonly digest: string;
}

function blobPath(layout: string, digest = ""): string {
  return `${layout}/blobs/${digest.replace(":", "/")}`;
}

async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await Deno.readTextFile(path));
}

async function plain(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const { body } = new Response(bytes);
  if (body === null) return bytes;
  return new Uint8Array(await new Response(body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}
