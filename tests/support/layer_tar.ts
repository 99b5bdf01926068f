/** Layers as tars, spelled out member by member. */
import { type RawPath, rawPath } from "../../src/sys/raw_path.ts";
import type { TarHeader } from "../../src/tar/header.ts";
import { type TarEntry, writeTar } from "../../src/tar/write.ts";
import { tarHeader } from "./tar_headers.ts";

/** A member: what `tarHeader` takes, but paths of links as text. */
export type Member = TarEntry;

const encoder = new TextEncoder();

export function file(path: string, text = "", changes: Partial<TarHeader> = {}): Member {
  const body = encoder.encode(text);
  return { header: { ...tarHeader(path, { mode: 0o644, ...changes }), type: "file", size: body.length }, body: [body] };
}

export function directory(path: string, changes: Partial<TarHeader> = {}): Member {
  return { header: { ...tarHeader(path, { mode: 0o755, ...changes }), type: "directory" } };
}

export function symlink(path: string, target: string, changes: Partial<TarHeader> = {}): Member {
  return { header: { ...tarHeader(path, { mode: 0o777, ...changes }), type: "symlink", linkPath: rawPath(target) } };
}

export function hardLink(path: string, target: string): Member {
  return { header: tarHeader(path, { type: "hardlink", linkPath: rawPath(target) }) };
}

export function node(path: string, type: "char" | "block" | "fifo", changes: Partial<TarHeader> = {}): Member {
  return { header: { ...tarHeader(path, { mode: 0o644, ...changes }), type } };
}

/** The stream of a layer with these members. */
export function layerTar(members: readonly Member[]): ReadableStream<Uint8Array> {
  return writeTar(members);
}

/** A path of these bytes. */
export function bytesPath(...bytes: number[]): RawPath {
  return String.fromCharCode(...bytes) as RawPath;
}
