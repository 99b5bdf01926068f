/** Tars and the programs that others read and write them with: GNU tar and Python's tarfile. */
import { deepEqual, equal } from "node:assert/strict";
import { rawPath, rawPathFromBytes } from "../../src/sys/raw_path.ts";
import type { TarHeader } from "../../src/tar/header.ts";
import { latin1Bytes } from "../../src/tar/pax.ts";
import { writeTar } from "../../src/tar/write.ts";
import { tarHeader } from "../support/tar_headers.ts";
import { readMembers } from "../support/tar_members.ts";

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const output = await new Deno.Command(command, { args: [...args], cwd, env: { LC_ALL: "C", TZ: "UTC" } }).output();
  equal(output.code, 0, new TextDecoder().decode(output.stderr));
  return new TextDecoder("latin1").decode(output.stdout);
}

const LONG = `${"long-directory-name/".repeat(6)}${"f".repeat(90)}`;
const SETUP = `set -e; umask 022; mkdir -p tree/d "tree/$(dirname ${LONG})"; cd tree
printf hello > d/file; ln d/file d/hard; ln -s ../target d/soft; mkfifo d/pipe; : > empty; 
printf x > ${LONG}; ln -s ${LONG} longlink
mknod d/null c 1 3 2>/dev/null || true; mknod d/loop b 7 1 2>/dev/null || true; chown 70000:3000 empty 2>/dev/null || true; chmod 4755 empty
truncate -s 300000 hole; printf A | dd of=hole bs=1 seek=65536 conv=notrunc 2>/dev/null; printf B | dd of=hole bs=1 seek=200000 conv=notrunc 2>/dev/null
printf n > "$(printf 'bad\\377name')"; touch -d @-1.5 d/file; touch -d @1700000000.123456789 empty
python3 -c 'import os; os.setxattr("empty", "user.k=v", b"\\xff\\n=\\0")' 2>/dev/null && : > xattr || true`;

for (
  const [format, args] of [
    ["v7", [
      "--exclude=null",
      "--exclude=loop",
      "--exclude=pipe",
      "--exclude=long*",
      "--exclude=d/file",
      "--exclude=d/hard",
    ]],
    ["ustar", ["--exclude=longlink", "--exclude=d/file", "--exclude=d/hard"]],
    ["gnu", ["--sparse"]],
    ["posix", ["--xattrs", "--sparse", "--sparse-version=0.0"]],
    ["posix", ["--xattrs", "--sparse", "--sparse-version=0.1"]],
    ["posix", ["--xattrs", "--sparse", "--sparse-version=1.0"]],
  ] as const
) {
  Deno.test(`TarParser reads what GNU tar writes when the format is ${format} ${args.at(-1)}`, async () => {
    const dir = await Deno.makeTempDir();
    try {
      await run("sh", ["-c", SETUP], dir);
      await run("tar", ["-cf", "a.tar", `--format=${format}`, "--sort=name", ...args, "-C", "tree", "."], dir);
      const read = readMembers(await Deno.readFile(`${dir}/a.tar`), [4096, 100]);
      const byPath = new Map(read.map((member) => [String(member.header.path), member]));
      deepEqual(read.map(({ header }) => header.path).sort(), (await listed(dir)).sort());
      const hole = new Uint8Array(300_000);
      hole[65536] = 0x41;
      hole[200_000] = 0x42;
      deepEqual(byPath.get("./hole")?.body, hole);
      deepEqual(byPath.get("./hole")?.header.size, 300_000);
      equal(byPath.get("./empty")?.header.mode, 0o4755);
      equal(byPath.get("./d/soft")?.header.linkPath, "../target");
      equal(byPath.has("./bad\xffname"), true);
      const nanoseconds = byPath.get("./empty")?.header.mtimeNs;
      equal(nanoseconds, format === "posix" ? 1_700_000_000_123_456_789n : 1_700_000_000_000_000_000n);
      if (format !== "v7") {
        deepEqual(byPath.get(`./${LONG}`)?.body, latin1Bytes("x"));
        equal(byPath.get("./d/pipe")?.header.type, "fifo");
      }
      if (format === "gnu" || format === "posix") {
        equal(byPath.get("./longlink")?.header.linkPath, LONG);
        deepEqual(byPath.get("./d/file")?.body, latin1Bytes("hello"));
        equal(byPath.get("./d/file")?.header.mtimeNs, format === "gnu" ? -2_000_000_000n : -1_500_000_000n);
        const { type, linkPath } = byPath.get("./d/hard")?.header ?? tarHeader("?");
        deepEqual([type, linkPath], ["hardlink", "./d/file"]);
      }
      if (format === "posix" && byPath.has("./xattr")) {
        const value = byPath.get("./empty")?.header.xattrs.get("user.k=v");
        deepEqual(value, Uint8Array.of(0xff, 10, 0x3d, 0));
      }
      const device = byPath.get("./d/null")?.header;
      if (device !== undefined) deepEqual([device.type, device.devMajor, device.devMinor], ["char", 1, 3]);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}

async function listed(dir: string): Promise<string[]> {
  const text = await run("tar", ["-tf", "a.tar", "--quoting-style=literal"], dir);
  return text.split("\n").filter((line) => line !== "").map((line) => line.replace(/(.)\/$/, "$1"));
}

const OURS: readonly TarHeader[] = [
  tarHeader("d", { type: "directory", mode: 0o1777 }),
  tarHeader("d/file", { size: 5, uid: 3_000_000, gid: 5, mtimeNs: -1_500_000_000n }),
  tarHeader("d/hard", { type: "hardlink", linkPath: rawPath("d/file") }),
  tarHeader("d/é", { type: "symlink", linkPath: rawPath("ü".repeat(60)), mode: 0o777 }),
  tarHeader("n".repeat(200), { mtimeNs: 1_700_000_000_000_000_000n }),
  tarHeader("null", { type: "char", devMajor: 1, devMinor: 3 }),
  tarHeader("pipe", { type: "fifo" }),
  {
    ...tarHeader("x", { xattrs: new Map([["security.capability", Uint8Array.of(1, 0xff, 10)]]) }),
    path: rawPathFromBytes(Uint8Array.of(0x62, 0xff)),
  },
];

const PYTHON = `import json, sys, tarfile
t = tarfile.open("a.tar", encoding="utf-8", errors="surrogateescape")
print(json.dumps([[m.name.encode("utf-8","surrogateescape").decode("latin1"), m.type.decode(), m.mode, m.uid, m.gid, m.size,
  float(m.mtime), m.linkname.encode("utf-8","surrogateescape").decode("latin1"), m.devmajor, m.devminor] for m in t]))`;

Deno.test("writeTar writes what GNU tar and Python's tarfile read", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const flags = { file: "0", hardlink: "1", symlink: "2", char: "3", block: "4", directory: "5", fifo: "6" };
    const entries = OURS.map((header) => ({ header, body: [new Uint8Array(header.size).fill(0x61)] }));
    await Deno.writeFile(`${dir}/a.tar`, writeTar(entries));
    const python: unknown = JSON.parse(await run("python3", ["-c", PYTHON], dir));
    deepEqual(
      python,
      OURS.map((
        h,
      ) => [
        h.path,
        flags[h.type],
        h.mode,
        h.uid,
        h.gid,
        h.size,
        Number(h.mtimeNs) / 1e9,
        h.linkPath,
        h.devMajor,
        h.devMinor,
      ]),
    );
    deepEqual(await listed(dir), OURS.map((header) => header.path));
    await run("sh", [
      "-c",
      "mkdir out && tar --warning=all --exclude=null --no-same-owner --delay-directory-restore -xf a.tar -C out",
    ], dir);
    equal(
      await run("sh", ["-c", "cat out/d/hard; stat -c %Y out/d/file; readlink out/d/*[!a-z]*"], dir),
      `aaaaa-2\n${"ü".repeat(60)}\n`.replaceAll("ü", "\xc3\xbc"),
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
