/** Layers written by others are read as their writers meant them, and ours are read by others as we mean them. */
import { deepEqual, equal } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { OciLayout } from "../../src/blob/oci_layout.ts";
import { saveToLayout } from "../../src/image/archive.ts";
import { scratchImage } from "../../src/image/image.ts";
import { appendLayer } from "../../src/image/mutate.ts";
import { decompressAny } from "../../src/layer/compression.ts";
import { writeLayer } from "../../src/layer/write_layer.ts";
import { type Compression, layerMediaType } from "../../src/oci/descriptor.ts";
import { isIndex, parseManifest } from "../../src/oci/manifest.ts";
import { createContentHasher } from "../../src/rootfs/content_hash.ts";
import { extractLayer } from "../../src/rootfs/extract_layer.ts";
import { Rootfs } from "../../src/rootfs/rootfs.ts";
import { TreeBuilder } from "../../src/rootfs/tree.ts";
import { diffTrees } from "../../src/snapshot/diff_trees.ts";
import { scanTree } from "../../src/snapshot/scan_tree.ts";
import { rawPath } from "../../src/sys/raw_path.ts";
import { streamOf } from "../support/byte_streams.ts";
import { describeTree } from "../support/describe_tree.ts";
import { mustRun } from "../support/run_command.ts";
import { ensurePackages } from "../support/set_up.ts";
import { makeTempDir } from "../support/temp_dir.ts";

await ensurePackages(["buildah", "libarchive-tools", "skopeo", "umoci", "zstd"]);

const XATTRS = { xattrs: (name: string): boolean => /^(user\.|security\.capability)/.test(name) };
const TREE = `set -e; umask 022; mkdir -p tree/d/sub; cd tree
printf hello > d/file; ln d/file d/hard; ln d/file second; ln -s ../target d/soft; ln -s d dirlink; mkfifo d/pipe
mknod d/null c 1 3; mknod d/loop b 7 1; : > empty; chown 70000:3000 empty; chmod 4755 empty; chmod 1777 d/sub
truncate -s 3000000 hole; printf A | dd of=hole bs=1 seek=65536 conv=notrunc 2>/dev/null
printf B | dd of=hole bs=1 seek=2000000 conv=notrunc 2>/dev/null
printf x > $(printf 'n%.0s' $(seq 90)); chown -h 5:6 d/soft; touch -h -d @1400000000 d/soft dirlink
python3 -c 'import os; os.setxattr("empty", "user.note", b"\\xff\\n=\\0")'
python3 -c 'import os; os.setxattr("d/file", "security.capability", bytes([1,0,0,2,0,4]+[0]*14))'
find . -name 'n*' -exec touch -d @1500000000 {} +; touch -d @1600000000 d/file empty hole; touch -d @1500000000 d/pipe d/null d/loop; touch -d @1300000000 d/sub d .`;
const LONG =
  `cd tree; mkdir -p "$(printf 'long-name/%.0s' $(seq 20))"; printf y > "$(printf 'long-name/%.0s' $(seq 20))$(printf 'f%.0s' $(seq 150))"
printf n > "$(printf 'bad\\377name')"; touch -d @-5 d/pipe; touch -d @1600000000.123456789 empty; touch -d @1300000000 d`;

/** Writers, what they are told, and which tree their format can hold. */
const WRITERS: readonly (readonly [name: string, command: string, tree: string])[] = [
  ["GNU tar v7", "tar -cf a.tar --format=v7 --exclude=null --exclude=loop --exclude=pipe -C tree .", TREE],
  ["GNU tar ustar", "tar -cf a.tar --format=ustar -C tree .", TREE],
  ["GNU tar oldgnu", "tar -cf a.tar --format=oldgnu --sparse -C tree .", TREE + "\n" + LONG.replace("cd tree;", "")],
  ["GNU tar gnu", "tar -cf a.tar --format=gnu --sparse -C tree .", `${TREE}; cd ..; ${LONG}`],
  ...["0.0", "0.1", "1.0"].map((version) =>
    [
      `GNU tar posix, sparse ${version}`,
      `tar -cf a.tar --format=posix --sparse --sparse-version=${version} --xattrs --xattrs-include='*' -C tree .`,
      `${TREE}; cd ..; ${LONG}`,
    ] as const
  ),
  ["bsdtar ustar", "bsdtar -cf a.tar --format=ustar -C tree .", TREE],
  ["bsdtar gnutar", "bsdtar -cf a.tar --format=gnutar -C tree .", `${TREE}; cd ..; ${LONG}`],
  ["bsdtar pax", "bsdtar -cf a.tar --format=pax --xattrs -C tree .", `${TREE}; cd ..; ${LONG}`],
  ["bsdtar pax, sparse", "bsdtar -cf a.tar --format=pax --read-sparse --xattrs -C tree .", TREE],
];

for (const [name, command, tree] of WRITERS) {
  Deno.test(`extractLayer gives what the program itself unpacks when the writer is ${name}`, async () => {
    await using temp = await makeTempDir();
    await sh(temp.path, tree);
    await sh(temp.path, command);
    const unpack = command.startsWith("bsd") ? "bsdtar -xpf a.tar" : "tar -xpf a.tar --xattrs --xattrs-include='*'";
    await sh(temp.path, `mkdir theirs && ${unpack} --numeric-owner -C theirs`);
    const ours = await extracted(temp.path, "ours", [await Deno.readFile(`${temp.path}/a.tar`)]);
    const [expected, actual] = [at(`${temp.path}/theirs`), ours].map((root) => describeTree(root, XATTRS));
    deepEqual(actual, expected);
    equal(actual?.length, describeTree(at(`${temp.path}/tree`)).length - (name.endsWith("v7") ? 3 : 0));
  });
}

Deno.test("extractLayer reads gzip of many members, as eStargz writes, and a tar cut into zstd frames", async () => {
  await using temp = await makeTempDir();
  await sh(temp.path, `${TREE}; cd ..; tar -cf a.tar --format=posix --xattrs --xattrs-include='*' -C tree .`);
  const tar = await Deno.readFile(`${temp.path}/a.tar`);
  const cuts = [0, 512, 700, 5000, 5001, tar.length];
  const slices = cuts.slice(1).map((end, i) => tar.subarray(cuts[i], end));
  const gzip = [...slices, new Uint8Array()].map((slice) => new Uint8Array(gzipSync(slice)));
  await Promise.all(slices.map((slice, i) => Deno.writeFile(`${temp.path}/s${i}`, slice)));
  await sh(temp.path, "for i in 0 1 2 3 4; do zstd -q -c s$i >> z; done");
  const expected = describeTree(at(`${temp.path}/tree`), XATTRS).map(coarse);
  for (const [name, blob] of [["gzip", join(gzip)], ["zstd", await Deno.readFile(`${temp.path}/z`)]] as const) {
    deepEqual(describeTree(await extracted(temp.path, name, [blob]), XATTRS).map(coarse), expected, name);
  }
});

/** What `buildah add` leaves out. */
const IS_SPECIAL = /^"[^"]*" (?:char|block|fifo) /;

const IMAGE_WRITERS = [
  ["umoci", "umoci init --layout out && umoci new --image out:t && umoci insert --image out:t tree /"],
  [
    "buildah",
    `s="--storage-driver vfs --root $PWD/r --runroot $PWD/rr"; c=$(buildah $s from scratch)
     buildah $s add $c tree / && buildah $s commit $c oci:out:t && rm -rf r rr`,
  ],
  [
    "skopeo",
    `umoci init --layout in && umoci new --image in:t && umoci insert --image in:t tree /
     skopeo copy -q --insecure-policy oci:in:t docker-archive:out.tar:x:t
     skopeo copy -q --insecure-policy --dest-oci-accept-uncompressed-layers docker-archive:out.tar oci:out:t`,
  ],
] as const;

for (const [name, command] of IMAGE_WRITERS) {
  Deno.test(`extractLayer gives the files of an image when its writer is ${name}`, async () => {
    await using temp = await makeTempDir();
    await sh(temp.path, `${TREE}; cd ..; ${command}`);
    const ours = await extracted(temp.path, "ours", await layersOf(`${temp.path}/out`));
    const [actual, expected] = [ours, at(`${temp.path}/tree`)].map((root) => {
      const lines = describeTree(root, { isCoarse: true, hasNoDirectoryTimes: true });
      return name === "buildah" ? lines.filter((line) => !IS_SPECIAL.test(line)).map(ownedByRoot) : lines;
    });
    deepEqual(actual, expected);
  });
}

for (const compression of ["gzip", "zstd", "none"] as const) {
  Deno.test(`writeLayer writes what GNU tar, umoci and skopeo read when the compression is ${compression}`, async () => {
    await using temp = await makeTempDir();
    await sh(temp.path, `${TREE}; cd ..; ${LONG}`);
    const blob = await writeImage(temp.path, compression);
    const unpack = { gzip: "gzip -dc", zstd: "zstd -dc", none: "cat" }[compression];
    const options = "--xattrs --xattrs-include='*' --numeric-owner --delay-directory-restore";
    await sh(temp.path, `mkdir gnu && ${unpack} < ${blob} | tar -xpf - ${options} -C gnu`);
    await sh(temp.path, "skopeo copy -q --insecure-policy oci:layout:latest dir:copied && skopeo inspect dir:copied");
    const expected = describeTree(at(`${temp.path}/tree`), { isCoarse: true });
    deepEqual(describeTree(at(`${temp.path}/gnu`), { isCoarse: true }), expected);
    if (compression === "zstd") return; // umoci knows no zstd
    await sh(temp.path, "umoci unpack --keep-dirlinks --image layout:latest bundle");
    deepEqual(describeTree(at(`${temp.path}/bundle/rootfs`), { isCoarse: true }), expected);
  });
}

async function writeImage(folder: string, compression: Compression): Promise<string> {
  const rootfs = at(`${folder}/tree`);
  const layout = await OciLayout.open(`${folder}/layout`);
  const scan = scanTree(rootfs, { known: new Map(), hasher: await createContentHasher(), nowNs: 0n });
  const changes = diffTrees(new TreeBuilder().finish(0n), scan);
  const { digest, size, diffId } = await writeLayer(changes, rootfs, {
    compression,
    put: (stream) => layout.ingest(stream),
  });
  const descriptor = { mediaType: layerMediaType("oci", compression) ?? "", digest, size };
  const image = scratchImage({ os: "linux", architecture: "amd64" });
  const layered = appendLayer(image, { descriptor, diffId, source: layout }, { history: "all", createdMs: 0 });
  await saveToLayout(layered, layout, "latest");
  return `layout/blobs/sha256/${digest.slice(7)}`;
}

/** The layers of the only image of an OCI layout, as stored, lowest first. */
async function layersOf(path: string): Promise<Uint8Array[]> {
  const layout = await OciLayout.open(path);
  const [entry] = (await layout.index()).manifests;
  const manifest = parseManifest((await layout.getManifest(entry?.digest ?? ""))?.bytes ?? new Uint8Array());
  if (isIndex(manifest)) throw new TypeError("an image was expected");
  return await Promise.all(
    manifest.layers.map(({ digest }) => Deno.readFile(`${path}/blobs/sha256/${digest.slice(7)}`)),
  );
}

async function extracted(folder: string, name: string, layers: readonly Uint8Array[]): Promise<Rootfs> {
  await Deno.mkdir(`${folder}/${name}`);
  const rootfs = at(`${folder}/${name}`);
  const hasher = await createContentHasher();
  for (const layer of layers) {
    await extractLayer(await decompressAny(streamOf(layer, 10_007)), rootfs, { hasher, known: new Map() });
  }
  return rootfs;
}

function at(path: string): Rootfs {
  return new Rootfs(rawPath(path), []);
}

/** A line of the tree as `buildah add` makes it. */
function ownedByRoot(line: string): string {
  return line.replace(/ \d+:\d+ /, " 0:0 ");
}

/** A line of the tree without the fraction of its time, which depends on the file system. */
function coarse(line: string): string {
  return line.replace(/ (-?\d+)\d{9} /, " $1 ");
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function sh(cwd: string, script: string): Promise<void> {
  await mustRun(["sh", "-ec", script], { cwd, env: { LC_ALL: "C", TZ: "UTC", HOME: cwd } });
}
