import { deepEqual, equal, match, rejects } from "node:assert/strict";
import fc from "fast-check";
import { FileChangedError } from "../../../src/layer/_layer_entries.ts";
import { type StoredBytes, writeLayer, type WriteLayerOptions } from "../../../src/layer/write_layer.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import { type ContentHasher, createContentHasher, type KnownContents } from "../../../src/rootfs/content_hash.ts";
import { extractLayer } from "../../../src/rootfs/extract_layer.ts";
import { type Tree, TreeBuilder } from "../../../src/rootfs/tree.ts";
import { type Change, diffTrees } from "../../../src/snapshot/diff_trees.ts";
import { scanTree } from "../../../src/snapshot/scan_tree.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { describeTree } from "../../support/describe_tree.ts";
import { mustRun } from "../../support/run_command.ts";
import { readAll, readMembers } from "../../support/tar_members.ts";
import { TempRoot } from "../../support/temp_root.ts";
import { applyChanges, arbitraryChange } from "../../support/tree_changes.ts";

const RUNS = Number(Deno.env.get("KILN_PROPERTY_RUNS") ?? 200);

/** Keeps what it is given. */
class MemoryStore {
  readonly blobs: Uint8Array[] = [];
  readonly put = async (stream: ReadableStream<Uint8Array>): Promise<StoredBytes> => {
    const bytes = await readAll(stream);
    this.blobs.push(bytes);
    return { digest: sha256(bytes), size: bytes.length };
  };
}

async function layerOf(
  changes: Iterable<Change>,
  root: TempRoot,
  options: Partial<WriteLayerOptions> = {},
): Promise<Uint8Array> {
  const store = new MemoryStore();
  const layer = await writeLayer(changes, root.rootfs, { compression: "none", put: store.put, ...options });
  const bytes = store.blobs.at(-1) ?? new Uint8Array();
  equal(layer.diffId, sha256(bytes));
  return bytes;
}

function write(path: string): Change {
  return { kind: "write", path: rawPath(path) };
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return ReadableStream.from([bytes]);
}

/** The build's way: scan, diff, write; the tree then knows all contents. */
async function step(root: TempRoot, before: Tree, hasher: ContentHasher): Promise<{ layer: Uint8Array; after: Tree }> {
  const known: KnownContents = new Map();
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const after = scanTree(root.rootfs, { previous: before, known, hasher, nowNs });
  const layer = await layerOf(diffTrees(before, after), root, { hasher, known });
  return { layer, after: after.withContents(known) };
}

Deno.test("writeLayer gives what extractLayer turns the old tree into the new one with, whatever changed", async () => {
  const hasher = await createContentHasher();
  const script = fc.array(arbitraryChange, { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(script, script, async (first, second) => {
      using original = new TempRoot();
      using copy = new TempRoot();
      applyChanges(original.rootfs, first);
      const base = await step(original, new TreeBuilder().finish(0n), hasher);
      await extractLayer(streamOf(base.layer), copy.rootfs, { hasher, known: new Map() });
      deepEqual(describeTree(copy.rootfs, { isCoarse: true }), describeTree(original.rootfs, { isCoarse: true }));
      const unchanged = await step(original, base.after, hasher);
      deepEqual(readMembers(unchanged.layer), []);
      applyChanges(original.rootfs, second);
      const changed = await step(original, base.after, hasher);
      await extractLayer(streamOf(changed.layer), copy.rootfs, { hasher, known: new Map() });
      deepEqual(describeTree(copy.rootfs, { isCoarse: true }), describeTree(original.rootfs, { isCoarse: true }));
    }),
    { numRuns: RUNS },
  );
});
