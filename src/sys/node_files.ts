/** Node's file functions, for packages that take a file system of that shape. Loaded when they are first wanted. */

/** The part of `node:fs` that such packages call. */
export type NodeFiles = typeof import("node:fs");

/** Loads `node:fs`. */
export async function loadNodeFiles(): Promise<NodeFiles> {
  return await import("node:fs");
}
