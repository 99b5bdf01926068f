/** The output of the script `list-tree` of fixtures/builds/debian_tree: a root filesystem's state, for comparing two. */
import { rawPathFromBytes } from "../../src/sys/raw_path.ts";
import { mustRun } from "./run_command.ts";

const SCRIPT = new URL("../../fixtures/builds/debian_tree/context/list-tree", import.meta.url).pathname;
const FIELDS = 4;

/** What is known of each node, by path (bytes as latin1). */
export type TreeListing = ReadonlyMap<string, string>;

/** Lists the root filesystem in `folder`. */
export async function listTree(folder: string): Promise<TreeListing> {
  return await parseTreeListing(await mustRun(["sh", SCRIPT, folder]));
}

/** Reads the listing that is somewhere in `text`. */
export async function parseTreeListing(text: string): Promise<TreeListing> {
  const nodes = await unpack(text, "NODES");
  const sums = new Map((await unpack(text, "SUMS")).map((line) => [line.slice(68), line.slice(0, 64)]));
  const rows: { readonly path: string; readonly facts: string; readonly inode: string }[] = [];
  for (let at = 0; at + FIELDS <= nodes.length; at += FIELDS) {
    const [path = "", attributes = "", target = "", inode = ""] = nodes.slice(at, at + FIELDS);
    // The size of a directory is the file system's own business.
    const facts = attributes.startsWith("d") ? attributes.replace(/ \d+$/, "") : attributes;
    rows.push({ path, facts: `${facts} ${target} ${sums.get(path) ?? ""}`, inode });
  }
  rows.sort((a, b) => (a.path < b.path ? -1 : 1));
  const firstNames = new Map<string, string>();
  for (const { path, inode } of rows) if (!firstNames.has(inode)) firstNames.set(inode, path);
  return new Map(rows.map(({ path, facts, inode }) => [path, `${facts} =${firstNames.get(inode)}`]));
}

/** The nodes in which two listings differ, one line each. */
export function treeDifferences(left: TreeListing, right: TreeListing): readonly string[] {
  const paths = [...new Set([...left.keys(), ...right.keys()])].sort();
  return paths.filter((path) => left.get(path) !== right.get(path))
    .map((path) => `${JSON.stringify(path)}: ${left.get(path) ?? "nothing"} | ${right.get(path) ?? "nothing"}`);
}

async function unpack(text: string, name: string): Promise<readonly string[]> {
  const packed = new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1];
  if (packed === undefined) throw new Error(`there is no ${name} line in:\n${text.slice(-2000)}`);
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const plain = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).bytes();
  return rawPathFromBytes(plain).split("\0").slice(0, -1);
}
