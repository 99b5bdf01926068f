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
import { contentOf } from "../../../src/snapshot/content_of.ts";
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

Deno.test("writeLayer gives an empty tar when nothing changed", async () => {
  using root = new TempRoot();
  deepEqual(await layerOf([], root), new Uint8Array(1024));
});

Deno.test("writeLayer records what an image records of each type, in the order given", async () => {
  using root = new TempRoot();
  await mustRun([
    "sh",
    "-ec",
    `
    mkdir d; echo data > d/f; ln d/f d/g; ln d/f h; ln -s ../x d/l; mkfifo p; mknod c c 1 70000; mknod b b 300 3
    ln d/l lh; setfattr -n user.x -v y d/f; setcap cap_net_raw+ep d/f; chown -h 2000:3000000 d/f d/l p; setcap cap_net_raw+ep d/f
    chmod 4755 d/f; chmod 1777 d; setcap cap_net_raw+ep d/f; touch -h -d @5.9 d/f d/l p c b; touch -d @-1.5 d`,
  ], { cwd: root.path });
  const listener = Deno.listen({ transport: "unix", path: root.host("/socket") });
  const paths = ["/", "/b", "/c", "/d", "/d/f", "/d/g", "/d/l", "/h", "/lh", "/p", "/socket"];
  const members = readMembers(await layerOf(paths.map(write), root));
  listener.close();
  const lines = members.map(({ header, body }) => {
    const { path, type, mode, uid, gid, mtimeNs, linkPath, devMajor, devMinor, xattrs } = header;
    const text = new TextDecoder().decode(body);
    return [path, type, mode.toString(8), uid, gid, mtimeNs, linkPath, devMajor, devMinor, [...xattrs.keys()], text]
      .join(" ");
  });
  deepEqual(lines, [
    "b block 644 0 0 5000000000  300 3  ",
    "c char 644 0 0 5000000000  1 70000  ",
    "d directory 1777 0 0 -2000000000  0 0  ",
    "d/f file 4755 2000 3000000 5000000000  0 0 security.capability data\n",
    "d/g hardlink 4755 2000 3000000 5000000000 d/f 0 0  ",
    "d/l symlink 777 2000 3000000 5000000000 ../x 0 0  ",
    "h hardlink 4755 2000 3000000 5000000000 d/f 0 0  ",
    "lh hardlink 777 2000 3000000 5000000000 d/l 0 0  ",
    "p fifo 644 2000 3000000 5000000000  0 0  ",
  ]);
});

Deno.test("writeLayer marks removals with whiteouts", async () => {
  using root = new TempRoot();
  root.directory("/d");
  const removals = ["/d/x", "/top"].map((path): Change => ({ kind: "remove", path: rawPath(path) }));
  const members = readMembers(await layerOf(removals, root));
  const plain = { type: "file", mode: 0, uid: 0, gid: 0, size: 0, mtimeNs: 0n };
  deepEqual(
    members.map(({ header: { path, type, mode, uid, gid, size, mtimeNs } }) => ({
      path,
      type,
      mode,
      uid,
      gid,
      size,
      mtimeNs,
    })),
    [
      { path: "d/.wh.x", ...plain },
      { path: ".wh.top", ...plain },
    ],
  );
});

const CLAMPS: readonly (readonly [touched: string, limit: number | undefined, seconds: bigint])[] = [
  ["@100.999999999", undefined, 100n],
  ["@100.5", 200, 100n],
  ["@300.5", 200, 200n],
  ["@200.9", 200, 200n],
  ["@-0.5", 0, -1n],
  ["@5", 0, 0n],
];

for (const [touched, limit, seconds] of CLAMPS) {
  Deno.test(`writeLayer records ${seconds} s for a time of ${touched} when the limit is ${limit}`, async () => {
    using root = new TempRoot();
    root.file("/f");
    await mustRun(["touch", "-d", touched, root.host("/f")]);
    const options = limit === undefined ? {} : { clampToEpochSeconds: limit };
    const [member] = readMembers(await layerOf([write("/f")], root, options));
    equal(member?.header.mtimeNs, seconds * 1_000_000_000n);
  });
}

Deno.test("writeLayer gives digest and size of what is stored, diffId of what is in it, each time the same", async () => {
  using root = new TempRoot();
  root.file("/f", "text ".repeat(100_000));
  await mustRun(["touch", "-d", "@7", root.host("/f")]);
  const plain = await layerOf([write("/f")], root);
  const store = new MemoryStore();
  const layers = [];
  for (let i = 0; i < 2; i++) {
    layers.push(await writeLayer([write("/f")], root.rootfs, { compression: "gzip", level: 6, put: store.put }));
  }
  const [stored = new Uint8Array()] = store.blobs;
  deepEqual(layers[0], {
    diffId: sha256(plain) as string,
    digest: sha256(stored),
    size: stored.length,
    compression: "gzip",
    tarSize: plain.length,
  });
  deepEqual(layers[1], layers[0]);
  const unzipped = new Blob([stored.slice()]).stream().pipeThrough(new DecompressionStream("gzip"));
  deepEqual(await readAll(unzipped), plain);
});

Deno.test("writeLayer hashes what it reads, once for all names of a file, and not what is known", async () => {
  using root = new TempRoot();
  for (const path of ["/a", "/b", "/empty"]) root.file(path, path === "/empty" ? "" : "text");
  Deno.linkSync(root.host("/a"), root.host("/c"));
  const hasher = await createContentHasher();
  const ino = (path: string): bigint => root.rootfs.lstat(rawPath(path))?.ino ?? 0n;
  const known: KnownContents = new Map([[ino("/b"), "known" as never]]);
  await layerOf(["/a", "/b", "/c", "/empty"].map(write), root, { hasher, known });
  equal(known.size, 3);
  deepEqual(["/a", "/b", "/empty"].map((path) => known.get(ino(path))), [
    contentOf(root.rootfs, rawPath("/a"), hasher),
    "known" as never,
    contentOf(root.rootfs, rawPath("/empty"), hasher),
  ]);
});

/** What somebody does to a file of 1 MiB whose first chunk has been read. */
const DISTURBANCES: readonly (readonly [name: string, disturb: (host: string) => void, message: RegExp])[] = [
  ["grows", (host) => Deno.writeTextFileSync(host, "more", { append: true }), /it changed while/],
  ["shrinks", (host) => Deno.truncateSync(host, Deno.statSync(host).size - 400_000), /it became shorter/],
  ["is rewritten", (host) => Deno.writeTextFileSync(host, "y".repeat(1 << 22)), /it changed while/],
  [
    "gets another mode",
    (host) => Deno.chmodSync(host, Deno.statSync(host).mode === 0o100600 ? 0o644 : 0o600),
    /it changed while/,
  ],
];

for (const [name, disturb, message] of DISTURBANCES) {
  Deno.test(`writeLayer writes the layer once more when a file ${name}, then gives up`, async () => {
    using root = new TempRoot();
    for (const isOnce of [true, false]) {
      root.file("/f", "x".repeat(1 << 22));
      const store = new MemoryStore();
      let calls = 0;
      const put = async (stream: ReadableStream<Uint8Array>): Promise<StoredBytes> => {
        calls++;
        const isDisturbed = calls === 1 || !isOnce;
        let count = 0;
        const disturbing = new TransformStream<Uint8Array, Uint8Array>({
          transform(chunk, controller): void {
            if (isDisturbed && ++count === 2) disturb(root.host("/f"));
            controller.enqueue(chunk);
          },
        });
        return await store.put(stream.pipeThrough(disturbing));
      };
      const writing = writeLayer([write("/f")], root.rootfs, { compression: "none", put });
      if (isOnce) {
        const layer = await writing;
        const [member] = readMembers(store.blobs[0] ?? new Uint8Array());
        equal(layer.digest, sha256(store.blobs[0] ?? new Uint8Array()));
        deepEqual(member?.body, Deno.readFileSync(root.host("/f")));
      } else await rejects(writing, { name: "FileChangedError", code: "integrity", path: "/f", message });
      equal(calls, 2);
    }
  });
}

Deno.test("writeLayer throws when a node is gone, also where the store wraps what fails", async () => {
  using root = new TempRoot();
  const put = async (stream: ReadableStream<Uint8Array>): Promise<StoredBytes> => {
    try {
      return { digest: sha256(await readAll(stream)), size: 0 };
    } catch (cause: unknown) {
      throw new TypeError("store failed", { cause });
    }
  };
  const writing = writeLayer([write("/gone")], root.rootfs, { compression: "gzip", put });
  await rejects(writing, (error: unknown) => {
    equal(error instanceof FileChangedError, true);
    match(String(error), /Cannot write "\/gone" to a layer: it is not there any more/);
    return true;
  });
});

Deno.test("writeLayer throws when a name would be read as a whiteout", async () => {
  using root = new TempRoot();
  root.file("/d/.wh.x");
  const writing = layerOf([write("/d"), write("/d/.wh.x")], root);
  await rejects(writing, { name: "FormatError", message: /^Cannot write "\/d\/\.wh\.x" to a layer/ });
});

Deno.test("writeLayer throws what the store throws, once, and closes what it has open", async () => {
  using root = new TempRoot();
  root.file("/f", "x".repeat(1 << 20));
  const failure = new TypeError("disk full");
  const count = (): number => [...Deno.readDirSync("/proc/self/fd")].length;
  const before = count();
  let calls = 0;
  const put = async (stream: ReadableStream<Uint8Array>): Promise<StoredBytes> => {
    calls++;
    const reader = stream.getReader();
    await reader.read();
    await reader.cancel(failure);
    throw failure;
  };
  await rejects(writeLayer([write("/f")], root.rootfs, { compression: "none", put }), failure);
  deepEqual([calls, count()], [1, before]);
});

Deno.test("writeLayer stops with the signal's reason when it is aborted", async () => {
  using root = new TempRoot();
  root.file("/f", "x");
  const reason = new TypeError("stop");
  await rejects(layerOf([write("/f")], root, { signal: AbortSignal.abort(reason) }), reason);
});

Deno.test("writeLayer's tar is read by GNU tar as it was meant", async () => {
  using root = new TempRoot();
  using other = new TempRoot();
  await mustRun([
    "sh",
    "-ec",
    `
    mkdir -p "$(printf 'd\\377 x')/$(printf 'n%.0s' $(seq 200))"; cd d*; echo one > a; ln a b; ln -s "$(printf 't\\300')" l
    cd n*; echo long > f; cd ..; chmod 2755 n*; chown 5:7 a; setcap cap_chown+ep a; mkfifo p; mknod null c 1 3; touch -h -d @77 * .`,
  ], {
    cwd: root.path,
  });
  const known: KnownContents = new Map();
  const hasher = await createContentHasher();
  const tree = scanTree(root.rootfs, { known, hasher, nowNs: 0n });
  const tar = await layerOf(diffTrees(new TreeBuilder().finish(0n), tree), root);
  await Deno.writeFile(`${root.base}/layer.tar`, tar);
  await mustRun(["tar", "-C", other.path, "--xattrs", "--xattrs-include=*", "-xpf", `${root.base}/layer.tar`]);
  deepEqual(describeTree(other.rootfs, { isCoarse: true }), describeTree(root.rootfs, { isCoarse: true }));
  const list = await mustRun(["tar", "--numeric-owner", "-tvf", `${root.base}/layer.tar`], {
    env: { TZ: "UTC", LC_ALL: "C" },
  });
  const [first = "", ...rest] = list.trim().split("\n");
  match(first, /^drwxr-xr-x 0\/0 +0 1970-01-01 00:01 d\\377 x\/$/);
  match(list, /^hrw-r--r-- 5\/7 +0 1970-01-01 00:01 d\\377 x\/b link to d\\377 x\/a$/m);
  match(list, /^lrwxrwxrwx 0\/0 +0 1970-01-01 00:01 d\\377 x\/l -> t\\300$/m);
  match(list, /^crw-r--r-- 0\/0 +1,3 1970-01-01 00:01 d\\377 x\/null$/m);
  equal(rest.length, 7);
});
