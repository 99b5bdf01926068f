/** Paths inside the image as instructions write them: joined to WORKDIR, cleaned, never above the root. */

/**
 * Gives the absolute, clean path of `path` seen from `workdir`; an empty one is `workdir` itself.
 * @example
 * ```ts
 * import { resolvePath } from "./container_path.ts";
 * import { equal } from "node:assert/strict";
 * equal(resolvePath("/a", "b/../c/"), "/a/c");
 * ```
 */
export function resolvePath(workdir: string, path: string): string {
  const clean: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${workdir}/${path}`).split("/")) {
    if (part === "..") clean.pop();
    else if (part !== "" && part !== ".") clean.push(part);
  }
  return `/${clean.join("/")}`;
}

/** Gives the WORKDIR after `workdir`: an absolute one is kept as written, as BuildKit does; an empty one changes nothing. */
export function resolveWorkdir(workdir: string, path: string): string {
  if (path === "") return workdir.startsWith("/") ? workdir : resolvePath("/", workdir);
  return path.startsWith("/") ? path : resolvePath(workdir, path);
}

/**
 * Gives the absolute destination of COPY and ADD. A trailing slash stays, as it says "a directory"; `/.` at the end, `.`
 * and nothing at all say so too and become one.
 */
export function resolveDestination(workdir: string, path: string): string {
  const resolved = resolvePath(workdir, path);
  const isDirectory = path === "" || path === "." || path.endsWith("/") || path.endsWith("/.");
  return isDirectory && !resolved.endsWith("/") ? `${resolved}/` : resolved;
}
