/**
 * An image as JSON that two builders can be compared by: config, history, and each layer's entries with all that is
 * recorded about them. Times from the base image's on are just "late": nobody can repeat them.
 */
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { pathText } from "../../src/sys/raw_path.ts";
import type { TarHeader } from "../../src/tar/header.ts";
import { readMembers } from "./tar_members.ts";

/** Seconds since the epoch: what is younger was made by the build itself, or by the base image. */
export const LATE_S = 1_767_225_600;
/** Each builder signs its history entries with its own name. */
const BUILDER_COMMENTS: readonly string[] = ["buildkit.dockerfile.v0", "kiln"];
const SHORT_TEXT_BYTES = 160;

/** A value of a JSON document. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

type JsonObject = { readonly [key: string]: Json };

/** Describes the image of the OCI layout at `folder`. Layers among `baseLayers` (digests) are just named "base". */
export async function describeImage(folder: string, baseLayers: ReadonlySet<string>): Promise<JsonObject> {
  const index = objectOf(await readJson(`${folder}/index.json`));
  const entry = objectOf(listOf(index.manifests)[0]);
  const manifest = objectOf(await readJson(blobPath(folder, textOf(entry.digest))));
  const config = objectOf(await readJson(blobPath(folder, textOf(objectOf(manifest.config).digest))));
  const layers = await Promise.all(
    listOf(manifest.layers).map(async (descriptor) => {
      const digest = textOf(objectOf(descriptor).digest);
      return baseLayers.has(digest) ? "base" : describeLayer(gunzipSync(await Deno.readFile(blobPath(folder, digest))));
    }),
  );
  const { rootfs, history, created, ...rest } = config;
  return {
    ...rest,
    created: timeWord(created),
    diffIds: listOf(objectOf(rootfs).diff_ids).length,
    history: listOf(history).map(describeHistory),
    layers,
  };
}

/** Digests of the layers of the image in the OCI layout at `folder`. */
export async function layerDigests(folder: string): Promise<readonly string[]> {
  const index = objectOf(await readJson(`${folder}/index.json`));
  const manifest = objectOf(await readJson(blobPath(folder, textOf(objectOf(listOf(index.manifests)[0]).digest))));
  return listOf(manifest.layers).map((layer) => textOf(objectOf(layer).digest));
}

/** Entry name (a folder's with a slash) to type, mode, owner, time, and whatever else its type has. */
function describeLayer(archive: Uint8Array): JsonObject {
  const entries: Record<string, string> = {};
  for (const { header, body } of readMembers(archive)) {
    const name = `${pathText(header.path)}${header.type === "directory" ? "/" : ""}`;
    if (name in entries) throw new Error(`Entry "${name}" stands twice in a layer`);
    entries[name] = describeEntry(header, body);
  }
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => a < b ? -1 : 1));
}

function describeEntry(header: TarHeader, body: Uint8Array): string {
  const { type, mode, uid, gid, mtimeNs, linkPath, devMajor, devMinor, xattrs } = header;
  if (type === "hardlink") return `hardlink to ${pathText(linkPath)}`;
  const seconds = Number(mtimeNs / 1_000_000_000n);
  const words = [type, mode.toString(8).padStart(4, "0"), `${uid}:${gid}`, seconds >= LATE_S ? "late" : `@${seconds}`];
  if (type === "symlink") words.push(`-> ${pathText(linkPath)}`);
  if (type === "char" || type === "block") words.push(`${devMajor},${devMinor}`);
  if (type === "file") words.push(describeBody(body));
  const attributes = [...xattrs].map(([name, value]) => `${name}=${hex(value)}`).sort();
  return [...words, ...attributes].join(" ");
}

function describeBody(body: Uint8Array): string {
  const text = new TextDecoder().decode(body);
  const isPlain = body.length <= SHORT_TEXT_BYTES && !/[^\n\t\r -~]/.test(text);
  if (isPlain) return JSON.stringify(text);
  return `${body.length} bytes sha256:${createHash("sha256").update(body).digest("hex").slice(0, 16)}`;
}

function describeHistory(entry: Json): JsonObject {
  const { created, comment, ...rest } = objectOf(entry);
  const isBuilder = typeof comment === "string" && BUILDER_COMMENTS.includes(comment);
  return {
    created: timeWord(created),
    ...rest,
    ...comment === undefined ? {} : { comment: isBuilder ? "builder" : comment },
  };
}

function timeWord(time: Json | undefined): Json {
  if (typeof time !== "string") return time ?? null;
  return Date.parse(time) >= LATE_S * 1000 ? "late" : time;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function readJson(path: string): Promise<Json> {
  return JSON.parse(await Deno.readTextFile(path));
}

function blobPath(folder: string, digest: string): string {
  return `${folder}/blobs/${digest.replace(":", "/")}`;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objectOf(value: Json | undefined): JsonObject {
  if (!isObject(value)) throw new TypeError(`not an object: ${JSON.stringify(value)}`);
  return value;
}

/** The elements; nothing and null are an empty list, as in Go's JSON. */
function listOf(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new TypeError(`not a list: ${JSON.stringify(value)}`);
  return value;
}

function textOf(value: Json | undefined): string {
  if (typeof value !== "string") throw new TypeError(`not a text: ${JSON.stringify(value)}`);
  return value;
}
