/**
 * `deno task bench`: walk, scan, extract and write, each against the program that does the same, in the same run. Prints a
 * table, and writes it as JSON to dist/bench. An argument gives the number of rounds.
 */
import { fileStream } from "../../src/blob/file_stream.ts";
import { OciLayout } from "../../src/blob/oci_layout.ts";
import { writeLayer } from "../../src/layer/write_layer.ts";
import { createContentHasher } from "../../src/rootfs/content_hash.ts";
import { extractLayer } from "../../src/rootfs/extract_layer.ts";
import { Rootfs } from "../../src/rootfs/rootfs.ts";
import type { Change } from "../../src/snapshot/diff_trees.ts";
import { diffTrees } from "../../src/snapshot/diff_trees.ts";
import { scanTree } from "../../src/snapshot/scan_tree.ts";
import { TreeBuilder } from "../../src/rootfs/tree.ts";
import { rawPath } from "../../src/sys/raw_path.ts";
import { walk } from "../../src/sys/walk.ts";
import { mustRun, say } from "../support/run_command.ts";
import { makeTree, packTree, SYSTEM_TREE } from "./bench_tree.ts";
import { type Contest, formatOutcomes, measure, type Outcome } from "./measure.ts";

const RESULT_FOLDER = new URL("../../dist/bench", import.meta.url).pathname;
const DEFAULT_ROUNDS = 5;
/** In memory, so that the programs are measured and not the disk; TMPDIR names another place. */
const MEMORY_FOLDER = "/dev/shm";

if (import.meta.main) {
  const folder = await Deno.makeTempDir({ dir: Deno.env.get("TMPDIR") ?? MEMORY_FOLDER, prefix: "kiln-bench-" });
  try {
    await report(await runContests(folder, Number(Deno.args[0] ?? DEFAULT_ROUNDS)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function runContests(folder: string, rounds: number): Promise<readonly Outcome[]> {
  const [tree, tar] = [`${folder}/tree`, `${folder}/tree.tar`];
  await Deno.mkdir(tree);
  await makeTree(tree, SYSTEM_TREE);
  await packTree(tree, tar);
  const outcomes: Outcome[] = [];
  for (const contest of [walking(tree), scanning(tree), extracting(folder, tar), ...await writing(folder, tree)]) {
    outcomes.push(await measure(await contest, rounds));
  }
  return outcomes;
}

/** Every inode looked at. */
function walking(tree: string): Contest {
  return {
    name: "walk",
    reference: "find -printf",
    ours: () => walk(rawPath(tree), { enter: () => true, leave: () => {} }),
    theirs: () => run(["find", tree, "-printf", "%i %C@\n"]),
  };
}

/** What a RUN costs that changes nothing: a scan and the comparison. */
async function scanning(tree: string): Promise<Contest> {
  const rootfs = new Rootfs(rawPath(tree), []);
  const hasher = await createContentHasher();
  const scan = (previous?: ReturnType<TreeBuilder["finish"]>): ReturnType<TreeBuilder["finish"]> =>
    scanTree(rootfs, {
      ...(previous && { previous }),
      known: new Map(),
      hasher,
      nowNs: BigInt(Date.now()) * 1_000_000n,
    });
  const before = scan();
  return {
    name: "scan, nothing changed",
    reference: "find -printf",
    ours: () => void diffTrees(before, scan(before)),
    theirs: () => run(["find", tree, "-printf", "%i %C@\n"]),
  };
}

function extracting(folder: string, tar: string): Contest {
  const [ours, theirs] = [`${folder}/ours`, `${folder}/theirs`];
  return {
    name: "extract",
    reference: "tar -x",
    ours: async () => {
      await Deno.mkdir(ours);
      const hasher = await createContentHasher();
      const readable = fileStream(await Deno.open(tar));
      await extractLayer(readable, new Rootfs(rawPath(ours), []), { hasher, known: new Map() });
    },
    theirs: async () => {
      await Deno.mkdir(theirs);
      await run(["tar", "-xf", tar, "-C", theirs]);
    },
    reset: async () => void await run(["rm", "-rf", ours, theirs]),
  };
}

/** A layer of the whole tree, uncompressed, with its digests; and the file system's own copy of the same files. */
async function writing(folder: string, tree: string): Promise<readonly Contest[]> {
  const rootfs = new Rootfs(rawPath(tree), []);
  const hasher = await createContentHasher();
  const scan = scanTree(rootfs, { known: new Map(), hasher, nowNs: 0n });
  const changes: readonly Change[] = diffTrees(new TreeBuilder().finish(0n), scan);
  const layout = await OciLayout.open(`${folder}/layout`);
  const ours = async (): Promise<void> => {
    const put: Parameters<typeof writeLayer>[2]["put"] = (stream) => layout.ingest(stream);
    await writeLayer(changes, rootfs, { compression: "none", put });
  };
  const reset = (): Promise<void> => run(["rm", "-rf", `${folder}/copy`, `${folder}/out.tar`]);
  return [
    {
      name: "write",
      reference: "tar -c",
      ours,
      reset,
      theirs: () => run(["tar", "-cf", `${folder}/out.tar`, "-C", tree, "."]),
    },
    { name: "write", reference: "cp -a", ours, reset, theirs: () => run(["cp", "-a", tree, `${folder}/copy`]) },
  ];
}

async function run(command: readonly string[]): Promise<void> {
  const [program = "", ...args] = command;
  const { success } = await new Deno.Command(program, { args, stdout: "null" }).output();
  if (!success) await mustRun(command);
}

async function report(outcomes: readonly Outcome[]): Promise<void> {
  await Deno.mkdir(RESULT_FOLDER, { recursive: true });
  const facts = { deno: Deno.version.deno, cpus: navigator.hardwareConcurrency, outcomes };
  await Deno.writeTextFile(`${RESULT_FOLDER}/bench.json`, `${JSON.stringify(facts, null, 2)}\n`);
  say(formatOutcomes(outcomes));
}
