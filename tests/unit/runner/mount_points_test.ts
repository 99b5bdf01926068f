import { deepEqual, equal, throws } from "node:assert/strict";
import { emptyFile, MountPoints, textFile } from "../../../src/runner/mount_points.ts";
import { setTimes } from "../../../src/sys/inode.ts";
import { type RawPath, rawPath } from "../../../src/sys/raw_path.ts";
import { AT_CWD, lstat } from "../../../src/sys/stat.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const OLD_NS = 1_000_000_000_000_000_001n;

/** A root with an /etc, both with an old time. */
async function inRoot(body: (root: RawPath, path: string) => void | Promise<void>): Promise<void> {
  await using folder = await makeTempDir();
  await Deno.mkdir(`${folder.path}/root/etc`, { recursive: true });
  const root = rawPath(`${folder.path}/root`);
  for (const path of [rawPath(`${root}/etc`), root]) setTimes(AT_CWD, path, OLD_NS);
  await body(root, `${folder.path}/root`);
}

const RESOLV_CONF = rawPath("/etc/resolv.conf");

Deno.test("MountPoints leaves no trace of what it made", () =>
  inRoot((root, path) => {
    {
      using points = new MountPoints(root);
      equal(points.directory(rawPath("/proc")), `${root}/proc`);
      equal(points.directory(rawPath("/etc")), `${root}/etc`);
      equal(points.file(RESOLV_CONF, textFile("x")), `${root}/etc/resolv.conf`);
      equal(points.file(rawPath("/a/b/c"), emptyFile()), `${root}/a/b/c`);
      equal(Deno.readTextFileSync(`${path}/etc/resolv.conf`), "x");
      equal(lstat(rawPath(`${path}/a/b`))?.mode, 0o755);
      deepEqual([lstat(root)?.mtimeNs, lstat(rawPath(`${path}/etc`))?.mtimeNs], [OLD_NS, OLD_NS]);
    }
    deepEqual([...Deno.readDirSync(path)].map(({ name }) => name), ["etc"]);
    deepEqual([...Deno.readDirSync(`${path}/etc`)], []);
    deepEqual([lstat(root)?.mtimeNs, lstat(rawPath(`${path}/etc`))?.mtimeNs], [OLD_NS, OLD_NS]);
  }));

Deno.test("MountPoints keeps the time of a directory that the command has changed", () =>
  inRoot((root, path) => {
    {
      using points = new MountPoints(root);
      points.file(RESOLV_CONF, emptyFile());
      Deno.writeTextFileSync(`${path}/etc/new`, "");
      setTimes(AT_CWD, rawPath(`${path}/etc`), OLD_NS + 5n);
    }
    equal(lstat(rawPath(`${path}/etc`))?.mtimeNs, OLD_NS + 5n);
    deepEqual([...Deno.readDirSync(`${path}/etc`)].map(({ name }) => name), ["new"]);
  }));

Deno.test("MountPoints keeps directories that were filled and files that were replaced", () =>
  inRoot((root, path) => {
    {
      using points = new MountPoints(root);
      points.directory(rawPath("/dev"));
      points.file(RESOLV_CONF, emptyFile());
      Deno.writeTextFileSync(`${path}/dev/kept`, "");
      Deno.writeTextFileSync(`${path}/etc/other`, "mine");
      Deno.renameSync(`${path}/etc/other`, `${path}/etc/resolv.conf`);
    }
    deepEqual(Deno.readTextFileSync(`${path}/etc/resolv.conf`), "mine");
    equal(lstat(rawPath(`${path}/dev/kept`))?.type, "file");
  }));

Deno.test("MountPoints removes its own file where the command has moved it, and nothing where a symlink points now", () =>
  inRoot((root, path) => {
    const victim = `${path}/../victim`;
    Deno.mkdirSync(victim);
    Deno.writeTextFileSync(`${victim}/resolv.conf`, "host");
    {
      using points = new MountPoints(root);
      points.file(RESOLV_CONF, emptyFile());
      Deno.renameSync(`${path}/etc`, `${path}/moved`);
      Deno.symlinkSync(victim, `${path}/etc`);
    }
    equal(Deno.readTextFileSync(`${victim}/resolv.conf`), "host");
    deepEqual([...Deno.readDirSync(`${path}/moved`)], []);
  }));

Deno.test("MountPoints follows symlinks inside the root only", () =>
  inRoot((root, path) => {
    Deno.symlinkSync("../../../../../run/stub.conf", `${path}/etc/resolv.conf`);
    {
      using points = new MountPoints(root);
      equal(points.file(RESOLV_CONF, emptyFile()), `${root}/run/stub.conf`);
    }
    deepEqual([lstat(rawPath(`${path}/run`)), lstat(rawPath(`${path}/etc/resolv.conf`))?.type], [undefined, "symlink"]);
  }));

Deno.test("MountPoints has no place for a file that leads into /proc, to a directory or nowhere", () =>
  inRoot((root, path) => {
    using points = new MountPoints(root);
    for (const target of ["/proc/1/root/etc/passwd", "/dev/null", "/etc", "resolv.conf"]) {
      Deno.symlinkSync(target, `${path}/etc/resolv.conf`);
      equal(points.file(RESOLV_CONF, emptyFile()), undefined, target);
      Deno.removeSync(`${path}/etc/resolv.conf`);
    }
    equal(lstat(rawPath(`${path}/proc`)), undefined);
  }));

Deno.test("MountPoints refuses a symlink or a file in place of a directory", () =>
  inRoot((root, path) => {
    using points = new MountPoints(root);
    Deno.symlinkSync("/etc", `${path}/proc`);
    Deno.writeTextFileSync(`${path}/dev`, "");
    throws(() => points.directory(rawPath("/proc")), { code: "unsupported", message: /its "\/proc" is a symlink/ });
    throws(() => points.directory(rawPath("/dev")), { code: "unsupported", message: /its "\/dev" is a file/ });
  }));

Deno.test("MountPoints makes devices that are missing", () =>
  inRoot((root, path) => {
    {
      using points = new MountPoints(root);
      points.directory(rawPath("/dev"));
      points.node(rawPath("/dev/null"), { kind: "char", rdevMajor: 1, rdevMinor: 3 });
      points.node(rawPath("/dev/null"), { kind: "char", rdevMajor: 1, rdevMinor: 5 });
      const node = lstat(rawPath(`${path}/dev/null`));
      deepEqual([node?.type, node?.mode, node?.rdevMajor, node?.rdevMinor], ["char", 0o666, 1, 3]);
    }
    equal(lstat(rawPath(`${path}/dev`)), undefined);
  }));
