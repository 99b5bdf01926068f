import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import fc from "fast-check";
import type { Logger } from "../../../src/log/logger.ts";
import { FormatError } from "../../../src/errors.ts";
import { createContentHasher, type KnownContents } from "../../../src/rootfs/content_hash.ts";
import { extractLayer, type ExtractSummary } from "../../../src/rootfs/extract_layer.ts";
import { contentOf } from "../../../src/snapshot/content_of.ts";
import { readXattr } from "../../../src/sys/inode.ts";
import { SystemError } from "../../../src/sys/libc.ts";
import { joinPath, type RawPath, rawPath } from "../../../src/sys/raw_path.ts";
import { describeTree } from "../../support/describe_tree.ts";
import { bytesPath, directory, file, hardLink, layerTar, type Member, node, symlink } from "../../support/layer_tar.ts";
import { mustRun } from "../../support/run_command.ts";
import { TempRoot, UNTOUCHED } from "../../support/temp_root.ts";

const CAPABILITY = Uint8Array.of(1, 0, 0, 2, 0, 4, ...new Uint8Array(14));

/** Applies layers one after the other and gives the last summary. */
async function extract(root: TempRoot, ...layers: readonly Member[][]): Promise<ExtractSummary | undefined> {
  const hasher = await createContentHasher();
  let summary: ExtractSummary | undefined;
  for (const members of layers) {
    summary = await extractLayer(layerTar(members), root.rootfs, { hasher, known: new Map(), layer: "sha256:1234" });
  }
  return summary;
}

/** Collects "level message" lines. */
function recordingLog(lines: string[]): Logger {
  const log: Logger = {
    debug: (message) => void lines.push(`debug ${message}`),
    info: (message) => void lines.push(`info ${message}`),
    warn: (message) => void lines.push(`warn ${message}`),
    error: (message) => void lines.push(`error ${message}`),
    with: () => log,
  };
  return log;
}

/** Names below the root, sorted, directories with a slash. */
function names(root: TempRoot): string[] {
  return describeTree(root.rootfs).map((line) => {
    const [, name = "", type = ""] = /^"(.*?)" (\w+)/.exec(line) ?? [];
    return type === "directory" ? `${name}/` : name;
  });
}

const OUTCOMES: readonly (readonly [name: string, layers: Member[][], expected: string[]])[] = [
  ["a whiteout hides a lower file", [[file("a"), file("b")], [file(".wh.a")]], ["/b"]],
  ["a whiteout hides a lower tree", [[directory("d"), file("d/a"), file("d/e/f")], [file(".wh.d")]], []],
  ["a whiteout of nothing is nothing", [[file("a")], [file(".wh.b"), file("x/.wh.b"), file("a/.wh.b")]], ["/a"]],
  ["a whiteout comes before its replacement", [[file("a", "old")], [file(".wh.a"), file("a", "new")]], ["/a"]],
  ["a whiteout comes after its replacement", [[file("a", "old")], [file("a", "new"), file(".wh.a")]], ["/a"]],
  [
    "a whiteout comes before the directory that replaces",
    [[file("d/old"), file("d/s/old")], [file(".wh.d"), directory("d"), file("d/new"), file("d/s/new")]],
    ["/d/", "/d/new", "/d/s/", "/d/s/new"],
  ],
  [
    "a whiteout comes after the directory that replaces",
    [[file("d/old"), file("d/s/old")], [directory("d"), file("d/new"), file("d/s/new"), file(".wh.d")]],
    ["/d/", "/d/new", "/d/s/", "/d/s/new"],
  ],
  [
    "an opaque marker comes first",
    [[file("d/old"), file("d/s/old")], [directory("d"), file("d/.wh..wh..opq"), file("d/new"), file("d/s/new")]],
    ["/d/", "/d/new", "/d/s/", "/d/s/new"],
  ],
  [
    "an opaque marker comes last",
    [[file("d/old"), file("d/s/old")], [file("d/new"), file("d/s/new"), directory("d"), file("d/.wh..wh..opq")]],
    ["/d/", "/d/new", "/d/s/", "/d/s/new"],
  ],
  ["an opaque marker is in the root", [[file("old")], [file("new"), file(".wh..wh..opq")]], ["/new"]],
  ["an opaque marker's directory is not there", [[file("a")], [file("d/.wh..wh..opq")]], ["/a"]],
  [
    "other reserved names are ignored",
    [[directory(".wh..wh.plnk"), file(".wh..wh.plnk/1.2"), file(".wh..wh.aufs")]],
    [],
  ],
  ["a file replaces a tree", [[file("d/a"), file("d/e/f")], [file("d")]], ["/d"]],
  ["a symlink replaces a tree", [[file("d/a"), file("d/e/f")], [symlink("d", "x")]], ["/d"]],
  ["a fifo replaces a tree", [[file("d/a")], [node("d", "fifo")]], ["/d"]],
  ["a directory replaces a file", [[file("a")], [directory("a"), file("a/b")]], ["/a/", "/a/b"]],
  ["a directory replaces a symlink", [[directory("t"), symlink("a", "t")], [directory("a"), file("a/b")]], [
    "/a/",
    "/a/b",
    "/t/",
  ]],
  ["a directory entry keeps children", [[file("d/a")], [directory("d", { mode: 0o700 })]], ["/d/", "/d/a"]],
  ["a file replaces a symlink to a directory", [[directory("t"), symlink("a", "t")], [file("a")]], ["/a", "/t/"]],
  ["parents that are symlinks are followed", [[directory("usr/bin"), symlink("bin", "usr/bin")], [file("bin/sh")]], [
    "/bin",
    "/usr/",
    "/usr/bin/",
    "/usr/bin/sh",
  ]],
  ["a dangling parent symlink's target is made", [[symlink("lib", "/usr/lib")], [file("lib/x")]], [
    "/lib",
    "/usr/",
    "/usr/lib/",
    "/usr/lib/x",
  ]],
  ["a parent symlink is replaced within the layer", [[
    directory("one"),
    directory("two"),
    symlink("at", "one"),
    file("at/a"),
    symlink("at", "two"),
    file("at/b"),
  ]], ["/at", "/one/", "/one/a", "/two/", "/two/b"]],
  ["a parent directory is replaced within the layer", [[
    directory("t"),
    file("at/a"),
    symlink("at", "t"),
    file("at/b"),
  ]], ["/at", "/t/", "/t/b"]],
  ["root entries are ignored", [[directory("."), directory("./"), directory("/"), file("./a"), file("/b")]], [
    "/a",
    "/b",
  ]],
  ["odd slashes and dots mean nothing", [[file(".//a/./b"), directory("c/.")]], ["/a/", "/a/b", "/c/"]],
  ["an entry comes twice", [[file("a", "one"), file("a", "two")]], ["/a"]],
  ["a hard link names itself", [[file("a"), hardLink("a", "a")]], ["/a"]],
  ["a whiteout's name is too long to exist", [[file("a")], [file(`.wh.${"x".repeat(300)}`)]], ["/a"]],
];

for (const [name, layers, expected] of OUTCOMES) {
  Deno.test(`extractLayer leaves the right names when ${name}`, async () => {
    using root = new TempRoot();
    await extract(root, ...layers);
    deepEqual(names(root), expected);
    equal(root.outside(), UNTOUCHED);
  });
}

const REFUSALS: readonly (readonly [name: string, layers: Member[][], message: RegExp])[] = [
  [
    "a name has ..",
    [[file("a/../../outside/x")]],
    /^Cannot extract "a\/\.\.\/\.\.\/outside\/x" of layer sha256:1234: .*"\.\."/,
  ],
  ["a name is ..", [[directory("..")]], /^Cannot extract "\.\."/],
  ["a whiteout is of ..", [[file(".wh...")]], /^Cannot extract "\.wh\.\.\." .* whiteout of "\.\."/],
  ["a whiteout is of .", [[file(".wh..")]], /whiteout of "\."/],
  ["a whiteout is of nothing", [[file(".wh.")]], /whiteout of ""/],
  ["a member lies below a whiteout", [[file(".wh.a/b")]], /below a whiteout/],
  ["a name is too long", [[file(`d/${"x".repeat(256)}`)]], /256 bytes: the limit is 255/],
  ["a parent's name is too long", [[file(`${"x".repeat(256)}/a`)]], /256 bytes: the limit is 255/],
  ["a path is too long", [[file(`${"x/".repeat(2100)}a`)]], /^Cannot extract "x\/x.*too long|4095/],
  ["a hard link's target is missing", [[hardLink("a", "b")]], /^Cannot extract "a" .* target "b" does not exist/],
  [
    "a hard link's target is outside",
    [[hardLink("a", "../outside/secret")]],
    /target "\.\.\/outside\/secret" does not exist/,
  ],
  [
    "a hard link's target is outside by a symlink",
    [[symlink("s", "../../outside"), hardLink("a", "s/secret")]],
    /"s\/secret" does not exist/,
  ],
  ["a hard link's target is a directory", [[directory("d"), hardLink("a", "d")]], /target "d" is a directory/],
  [
    "links go in a circle",
    [[symlink("x", "y"), symlink("y", "x"), file("x/a")]],
    /^Cannot extract "x\/a" .*symbolic links/,
  ],
  ["a hard link's parents go in a circle", [[symlink("x", "x"), hardLink("a", "x/b")]], /^Cannot extract "a"/],
  ["a parent is a file", [[file("a")], [file("a/b")]], /^Cannot extract "a\/b" .*"\/a" is not a directory/],
  ["the root would be a file", [[file(".")]], /replace the root/],
];

for (const [name, layers, message] of REFUSALS) {
  Deno.test(`extractLayer throws a clear error and touches nothing outside when ${name}`, async () => {
    using root = new TempRoot();
    await rejects(extract(root, ...layers), (error: unknown) => {
      ok(error instanceof FormatError || error instanceof SystemError, String(error));
      match(error.message, message);
      return true;
    });
    equal(root.outside(), UNTOUCHED);
  });
}

const ESCAPES: readonly (readonly [name: string, members: Member[], at: string])[] = [
  ["an absolute symlink", [symlink("s", "/outside"), file("s/secret", "x")], "/outside/secret"],
  ["a relative symlink", [symlink("s", "../../../outside"), file("s/secret", "x")], "/outside/secret"],
  [
    "a chain of symlinks",
    [symlink("s", "t/../.."), symlink("t", "/"), file("s/outside/secret", "x")],
    "/outside/secret",
  ],
  ["an absolute name", [file("/outside/secret", "x")], "/outside/secret"],
];

for (const [name, members, at] of ESCAPES) {
  Deno.test(`extractLayer writes inside the root when ${name} points out of it`, async () => {
    using root = new TempRoot();
    await extract(root, members);
    equal(root.text(at), "x");
    equal(root.outside(), UNTOUCHED);
  });
}

Deno.test("extractLayer does not follow the last component when a symlink out of the root is in its way", async () => {
  using root = new TempRoot();
  const target = `${root.base}/outside/secret`;
  await extract(root, [symlink("a", target), symlink("d", `${root.base}/outside`)]);
  await extract(root, [file("a", "mine"), directory("d", { mode: 0o700 })]);
  equal(root.text("/a"), "mine");
  equal(root.rootfs.lstat(rawPath("/d"))?.type, "directory");
  equal(root.outside(), UNTOUCHED);
});

Deno.test("extractLayer keeps to the root whatever a hostile archive holds", async () => {
  const part = fc.constantFrom("a", "b", "..", ".", "", "outside", "secret", ".wh.a", ".wh..wh..opq", ".wh...");
  const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/")).filter((text) =>
    text !== ""
  );
  const target = fc.oneof(path, fc.constantFrom("/", "..", "../..", "../outside", "/outside", "a/../../outside"));
  const member = fc.oneof(
    path.map((name) => file(name.replace(/\/+$/, "") || "a", "x")),
    path.map((name) => directory(name)),
    fc.tuple(path, target).map(([name, to]) => symlink(name.replace(/\/+$/, "") || "a", to)),
    fc.tuple(path, target).map(([name, to]) => hardLink(name.replace(/\/+$/, "") || "a", to)),
  );
  const runs = Number(Deno.env.get("KILN_PROPERTY_RUNS") ?? 200);
  const property = fc.asyncProperty(fc.array(member, { maxLength: 12 }), async (members) => {
    using root = new TempRoot();
    for (const one of members) {
      try {
        await extract(root, [one]);
      } catch (error: unknown) {
        if (!(error instanceof FormatError || error instanceof SystemError)) throw error;
        match(error.message, /^Cannot extract "/);
      }
    }
    equal(root.outside(), UNTOUCHED);
  });
  await fc.assert(property, { numRuns: runs });
});

Deno.test("extractLayer sets owner, mode, times and attributes of every type", async () => {
  using root = new TempRoot();
  const mtimeNs = 1_234_567_890_123_456_789n;
  const owned = { uid: 1001, gid: 1002, mtimeNs };
  const xattrs = new Map([["security.capability", CAPABILITY], ["user.note", Uint8Array.of(1, 2)]]);
  await extract(root, [
    file("setuid", "x", { ...owned, mode: 0o4755 }),
    file("capable", "x", { ...owned, mode: 0o755, xattrs }),
    file("open", "", { mode: 0o666, mtimeNs: -1_500_000_000n }),
    file("none", "x", { ...owned, mode: 0 }),
    directory("sticky", { ...owned, mode: 0o1777, xattrs: new Map([["user.note", Uint8Array.of(3)]]) }),
    directory("closed", { ...owned, mode: 0o000 }),
    file("closed/in", "x"),
    symlink("link", "target", owned),
    node("fifo", "fifo", { ...owned, mode: 0o4700 }),
    node("char", "char", { ...owned, mode: 0o666, devMajor: 1, devMinor: 70_000 }),
    node("block", "block", { ...owned, mode: 0o660, devMajor: 300, devMinor: 3 }),
    directory("setgid", { uid: 0, gid: 50, mode: 0o2775 }),
  ]);
  await extract(root, [file("setgid/f", "x"), directory("setgid/d"), symlink("setgid/l", "f")]);
  const all = describeTree(root.rootfs, { xattrs: (name) => /^(user|security\.capability)/.test(name) });
  const capability = `security.capability=${[...CAPABILITY]}`;
  const x = "1:2d711642b726b0440162";
  deepEqual(all.filter((line) => !line.startsWith('"/setgid"')), [
    `"/block" block 660 1001:1002 ${mtimeNs} 300,3   ="/block"`,
    `"/capable" file 755 1001:1002 ${mtimeNs} 0,0 ${x} ${capability},user.note=1,2 ="/capable"`,
    `"/char" char 666 1001:1002 ${mtimeNs} 1,70000   ="/char"`,
    `"/closed" directory 0 1001:1002 ${mtimeNs} 0,0   ="/closed"`,
    `"/closed/in" file 644 0:0 0 0,0 ${x}  ="/closed/in"`,
    `"/fifo" fifo 4700 1001:1002 ${mtimeNs} 0,0   ="/fifo"`,
    `"/link" symlink 777 1001:1002 ${mtimeNs} 0,0 "target"  ="/link"`,
    `"/none" file 0 1001:1002 ${mtimeNs} 0,0 ${x}  ="/none"`,
    `"/open" file 666 0:0 -1500000000 0,0 0:e3b0c44298fc1c149afb  ="/open"`,
    `"/setgid/d" directory 755 0:0 0 0,0   ="/setgid/d"`,
    `"/setgid/f" file 644 0:0 0 0,0 ${x}  ="/setgid/f"`,
    `"/setgid/l" symlink 777 0:0 0 0,0 "f"  ="/setgid/l"`,
    `"/setuid" file 4755 1001:1002 ${mtimeNs} 0,0 ${x}  ="/setuid"`,
    `"/sticky" directory 1777 1001:1002 ${mtimeNs} 0,0  user.note=3 ="/sticky"`,
  ]);
});

Deno.test("extractLayer keeps times of directories that the layer does not list, in every way of changing them", async () => {
  using root = new TempRoot();
  const lower = ["d", "e", "f", "g", "h", "i"].map((name) => directory(name, { mtimeNs: 5_000_000_001n }));
  await extract(root, [...lower, file("e/old"), file("f/old"), file("g/old")]);
  await extract(root, [
    file("d/new"),
    file("e/.wh.old"),
    file("f/.wh..wh..opq"),
    file("g/old", "other"),
    directory("h/sub", { mtimeNs: 7n }),
    file("i/made/file", "", { mtimeNs: 8n }),
    file("made/deep/file", "", { mtimeNs: 9_000_000_000n }),
  ]);
  const times = describeTree(root.rootfs).filter((line) => line.includes(" directory ")).map((line) =>
    line.split(" ")[4]
  );
  const kept = "5000000001";
  deepEqual(times, [kept, kept, kept, kept, kept, "7", kept, "8", "9000000000", "9000000000"]);
  equal(root.rootfs.lstat(rawPath("/made/deep"))?.mode, 0o755);
});

const MARKS: readonly (readonly [name: string, marks: Member[]])[] = [
  ["whiteouts", [file(".wh.d"), file(".wh.k"), file(".wh.k2")]],
  ["an opaque marker", [file("d/.wh..wh..opq")]],
];

for (const [name, marks] of MARKS) {
  Deno.test(`extractLayer gives the same tree wherever ${name} stand among the entries of the layer`, async () => {
    const lowered = { mode: 0o700, uid: 5 };
    const lower = [directory("d", lowered), file("d/old"), directory("d/s", lowered), file("d/s/old"), file("k")];
    const upper = [file("d/new"), file("d/s/new"), directory("x"), symlink("k", "x"), file("k2")];
    const trees: string[][] = [];
    for (const members of [[...marks, ...upper], [...upper, ...marks]]) {
      using root = new TempRoot();
      await extract(root, lower, members);
      trees.push(describeTree(root.rootfs));
    }
    deepEqual(trees[1], trees[0]);
  });
}

Deno.test("extractLayer leaves all of a directory that leads to a protected place when something would replace it", async () => {
  using root = new TempRoot(["/vol/in"]);
  for (const path of ["/vol/in/keep", "/vol/other"]) root.file(path, "ours");
  const summary = await extract(root, [symlink("vol", "/x"), file("vol", "theirs")]);
  deepEqual([root.text("/vol/in/keep"), root.text("/vol/other"), summary?.skipped], ["ours", "ours", 2]);
});

Deno.test("extractLayer does not read a huge hole for its hash: the content is not known then", async () => {
  using root = new TempRoot();
  const archive = `${root.base}/outside/huge.tar`;
  await mustRun([
    "sh",
    "-ec",
    'cd "$1"; truncate -s 300M huge; tar --sparse -cf huge.tar huge; rm huge',
    "sh",
    `${root.base}/outside`,
  ]);
  const known: KnownContents = new Map();
  await extractLayer((await Deno.open(archive)).readable, root.rootfs, { hasher: await createContentHasher(), known });
  deepEqual([root.rootfs.lstat(rawPath("/huge"))?.size, known.size], [300 << 20, 0]);
});

Deno.test("extractLayer links to lower files and breaks links when one name is replaced", async () => {
  using root = new TempRoot();
  await extract(root, [file("a", "one"), hardLink("b", "a"), symlink("s", "a"), hardLink("t", "/s")]);
  await extract(root, [hardLink("d/c", "./b"), file("a", "two")]);
  deepEqual([root.text("/a"), root.text("/b"), root.text("/d/c")], ["two", "one", "one"]);
  equal(root.rootfs.lstat(rawPath("/b"))?.ino, root.rootfs.lstat(rawPath("/d/c"))?.ino);
  equal(root.rootfs.lstat(rawPath("/t"))?.type, "symlink");
});

Deno.test("extractLayer leaves a running program alone when it is replaced", async () => {
  using root = new TempRoot();
  Deno.copyFileSync("/bin/sleep", root.host("/sleep"));
  const child = new Deno.Command(root.host("/sleep"), { args: ["60"] }).spawn();
  try {
    await extract(root, [file("sleep", "new", { mode: 0o755 })]);
    equal(root.text("/sleep"), "new");
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
});

Deno.test("extractLayer keeps names that are not UTF-8 as they are", async () => {
  using root = new TempRoot();
  const name = bytesPath(0x62, 0xff, 0xc3, 0x28, 0x0a);
  const target = bytesPath(0x2f, 0x80);
  await extract(root, [
    { header: { ...file("x").header, path: joinPath(rawPath("d"), name) } },
    { header: { ...symlink("l", "x").header, linkPath: target } },
  ]);
  deepEqual(names(root), ["/d/", `/d/${JSON.stringify(name).slice(1, -1)}`, "/l"]);
  const list = await mustRun(["find", root.host("/d"), "-type", "f", "-printf", "%f"], { env: { LC_ALL: "C" } });
  equal(list.length > 0, true);
  match(describeTree(root.rootfs).at(-1) ?? "", /"\/\x80"/);
});

Deno.test("extractLayer leaves protected places as they are and warns once a place", async () => {
  const places = ["/proc", "/vol/my [data] *", "/etc/hosts", "/kaniko"];
  using root = new TempRoot(places);
  for (
    const path of ["/proc/self", "/vol/my [data] */keep", "/etc/hosts", "/kaniko/executor", "/vol/other", "/vol/d/x"]
  ) {
    root.file(path, "ours");
  }
  const lines: string[] = [];
  const options = { hasher: await createContentHasher(), known: new Map(), log: recordingLog(lines) };
  const summary = await extractLayer(
    layerTar([
      directory("proc", { mode: 0o555 }),
      file("proc/self", "theirs"),
      file("vol/my [data] */keep", "theirs"),
      file("vol/my [data] */more", "theirs"),
      file("vol/.wh.my [data] *"),
      file("etc/hosts", "theirs"),
      symlink("etc/hosts", "/x"),
      symlink("vol", "/x"),
      file(".wh.kaniko"),
      symlink("to", "kaniko"),
      file("to/executor", "theirs"),
      hardLink("stolen", "kaniko/executor"),
      file(".wh..wh..opq"),
      file("etc/passwd", "theirs"),
      file("kaniko", "theirs"),
    ]),
    root.rootfs,
    options,
  );
  for (const path of ["/proc/self", "/vol/my [data] */keep", "/etc/hosts", "/kaniko/executor"]) {
    equal(root.text(path), "ours", path);
  }
  deepEqual([root.has("/vol/my [data] */more"), root.has("/vol/other"), root.has("/vol/d"), root.has("/stolen")], [
    false,
    false,
    false,
    false,
  ]);
  equal(root.text("/etc/passwd"), "theirs");
  const told = lines.map((line) => /^(\w+) Leaving ("[^"]*")/.exec(line)?.slice(1).join(" "));
  deepEqual(told.sort(), ['debug "/proc"', 'warn "/etc/hosts"', 'warn "/kaniko"', 'warn "/vol/my [data] *"']);
  equal(summary.skipped, 10);
});

Deno.test("extractLayer warns once and goes on when attributes are refused", async () => {
  using root = new TempRoot();
  const lines: string[] = [];
  const xattrs = new Map([["nosuch.name", Uint8Array.of(1)]]);
  const hasher = await createContentHasher();
  const known: KnownContents = new Map();
  await extractLayer(
    layerTar([
      file("a", "x", { xattrs }),
      file("b", "x", { xattrs }),
      directory("d", { xattrs }),
      symlink("l", "a", { xattrs }),
    ]),
    root.rootfs,
    { hasher, known, log: recordingLog(lines) },
  );
  equal(lines.length, 1);
  match(lines[0] ?? "", /^warn Extended attribute "nosuch.name" is left out .*"\/a"/);
  deepEqual(names(root), ["/a", "/b", "/d/", "/l"]);
});

Deno.test("extractLayer knows the content of each file it writes, capability included", async () => {
  using root = new TempRoot();
  const hasher = await createContentHasher();
  const known: KnownContents = new Map();
  const xattrs = new Map([["security.capability", CAPABILITY]]);
  const members = [file("a", "same"), file("b", "same"), file("c", "same", { xattrs }), file("e"), hardLink("f", "a")];
  await extractLayer(layerTar(members), root.rootfs, { hasher, known });
  for (const name of ["/a", "/b", "/c", "/e"]) {
    const ino = root.rootfs.lstat(rawPath(name))?.ino ?? 0n;
    equal(known.get(ino), contentOf(root.rootfs, rawPath(name), hasher), name);
  }
  equal(known.size, 4);
  equal(new Set(known.values()).size, 3);
  deepEqual([...readXattr(rawPath(root.host("/c")), "security.capability") ?? []], [...CAPABILITY]);
});

Deno.test("extractLayer counts what it did", async () => {
  using root = new TempRoot();
  const summary = await extract(root, [
    file("a", "12345"),
    hardLink("b", "a"),
    file(".wh.x"),
    file(".wh..wh.aufs"),
    directory("d"),
  ]);
  deepEqual(summary, { entries: 5, files: 1, fileBytes: 5, whiteouts: 1, skipped: 1 });
});

Deno.test("extractLayer extracts what GNU tar writes as GNU tar does, sparse files and long names too", async () => {
  using root = new TempRoot();
  using other = new TempRoot();
  const source = `${root.base}/source`;
  Deno.mkdirSync(`${source}/${"long".repeat(40)}/${"name".repeat(40)}`, { recursive: true });
  await mustRun([
    "sh",
    "-ec",
    `
    cd "$1"; echo data > file; ln file hard; ln -s file soft; mkfifo fifo; mknod null c 1 3
    truncate -s 3M sparse; echo end >> sparse; printf mid | dd of=sparse bs=1 seek=1000000 conv=notrunc status=none
    truncate -s 100000 holes; cd long*/name*; echo x > file; cd ../..; chmod 4711 file; chown -h 7:8 soft fifo; mkdir -m 1777 dir
    touch -d @1000000000.123456789 file dir; touch -h -d @5 soft`,
    "sh",
    source,
  ]);
  for (const format of ["gnu", "pax"]) {
    await mustRun(["tar", `--format=${format}`, "--sparse", "-C", source, "-cf", `${root.base}/x.tar`, "."]);
    for (const target of [root, other]) target.rootfs.wipe();
    await mustRun(["tar", "-C", other.path, "-xpf", `${root.base}/x.tar`]);
    const tar = (await Deno.open(`${root.base}/x.tar`)).readable;
    await extractLayer(tar, root.rootfs, { hasher: await createContentHasher(), known: new Map() });
    const expected = describeTree(other.rootfs);
    equal(expected.length, 11, expected.join("\n"));
    deepEqual(describeTree(root.rootfs), expected);
    ok((Deno.statSync(root.host("/holes")).blocks ?? 99) < 8, "a hole takes room");
  }
  Deno.removeSync(`${root.base}/x.tar`);
});

/** Whether this process has CAP_SYS_ADMIN, so that it may mount a small file system. */
function mayMount(): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1] ?? "0";
  return (BigInt(`0x${mask}`) & (1n << 21n)) !== 0n;
}

Deno.test("extractLayer names the path when there is no space", { ignore: !mayMount() }, async () => {
  using root = new TempRoot();
  await mustRun(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", root.path]);
  try {
    const tar = layerTar([directory("d"), file("d/big", "x".repeat(200_000))]);
    await rejects(extractLayer(tar, root.rootfs, { hasher: await createContentHasher(), known: new Map() }), {
      name: "SystemError",
      errnoName: "ENOSPC",
      message: /^Cannot extract "d\/big": cannot write to "\/d\/big": no space left on device/,
    });
  } finally {
    await mustRun(["umount", root.path]);
  }
});

Deno.test("extractLayer stops with the signal's reason when it is aborted", async () => {
  using root = new TempRoot();
  const reason = new FormatError("stop");
  const hasher = await createContentHasher();
  const tar = layerTar([file("a")]);
  const signal = AbortSignal.abort(reason);
  await rejects(extractLayer(tar, root.rootfs, { hasher, known: new Map(), signal }), reason);
  deepEqual(names(root), []);
});

Deno.test("extractLayer closes every descriptor, also when it fails", async () => {
  using root = new TempRoot();
  const count = (): number => [...Deno.readDirSync("/proc/self/fd")].length;
  const many: Member[] = Array.from({ length: 300 }, (_, i) => file(`d${i}/f`, "x"));
  await extract(root, many);
  const before = count();
  await extract(root, many.concat(Array.from({ length: 300 }, (_, i) => symlink(`d${i}`, `d${(i + 1) % 300}x`))));
  await rejects(extract(root, [file("z/a", "x"), file("z/../y")]));
  ok(count() <= before, `${count()} > ${before}`);
});

/** Paths are shown as text in errors, so that a terminal is never fed raw bytes. */
Deno.test("extractLayer shows a broken name as text in its error", async () => {
  using root = new TempRoot();
  const path = joinPath(bytesPath(0xff), ".." as RawPath);
  await rejects(extract(root, [{ header: { ...file("x").header, path } }]), /Cannot extract "\uFFFD\/\.\."/);
});
