/** Making single nodes. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { createContentHasher } from "../../../src/rootfs/content_hash.ts";
import {
  copiedXattrs,
  CopyWriter,
  NO_NODE_XATTRS,
  type NodeMetadata,
  placeOf,
} from "../../../src/rootfs/copy_writer.ts";
import { readXattrs, setXattr, withoutUmask } from "../../../src/sys/inode.ts";
import { SystemError } from "../../../src/sys/libc.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { CopyScene, recordingLogger } from "../../support/copy_scene.ts";

const META: NodeMetadata = {
  uid: 5,
  gid: 6,
  mode: 0o6755,
  mtimeNs: 1_500_000_000_000_000_001n,
  xattrs: NO_NODE_XATTRS,
};
/** cap_net_bind_service=ep, version 2. */
const CAPABILITY = Uint8Array.of(1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
const hasher = await createContentHasher();

function writerOf(scene: CopyScene): CopyWriter {
  return new CopyWriter(scene.rootfs, {
    hasher,
    known: scene.known,
    log: recordingLogger(scene.log),
    implicitTimeNs: 0n,
  });
}

Deno.test("CopyWriter gives each kind of node its owner, mode and time", () => {
  using scene = new CopyScene();
  const writer = writerOf(scene);
  const place = (path: string): ReturnType<typeof placeOf> => placeOf(scene.rootfs, rawPath(path));
  writer.writeFile(place("/f"), new TextEncoder().encode("x"), META);
  writer.writeSymlink(place("/l"), rawPath("to"), META);
  writer.writeSpecial(place("/p"), { type: "fifo", rdevMajor: 0, rdevMinor: 0 }, META);
  writer.writeSpecial(place("/s"), { type: "socket", rdevMajor: 0, rdevMinor: 0 }, META);
  writer.startDirectory(place("/d"));
  writer.finishDirectory(place("/d"), META);
  writer.writeHardLink(place("/h"), rawPath(scene.hostPath("/f")));
  deepEqual(scene.root(), {
    "/d": "d@6755@5:6",
    "/f": "f:x@6755@5:6",
    "/h": "h:/f",
    "/l": "l:to@5:6",
    "/p": "p@6755@5:6",
    "/s": "f:@6755@5:6",
  });
  for (const path of writer.written) equal(scene.node(path)?.mtimeNs, META.mtimeNs, path);
  deepEqual(writer.written, ["/f", "/l", "/p", "/s", "/d", "/h"]);
});

Deno.test("CopyWriter gives modes whatever the umask", () => {
  using scene = new CopyScene();
  const writer = writerOf(scene);
  writer.writeSpecial(placeOf(scene.rootfs, rawPath("/p")), { type: "fifo", rdevMajor: 0, rdevMinor: 0 }, {
    ...META,
    mode: 0o666,
  });
  withoutUmask(() =>
    writer.writeFile(placeOf(scene.rootfs, rawPath("/f")), new Uint8Array(), { ...META, mode: 0o600 })
  );
  deepEqual([scene.node("/p")?.mode, scene.node("/f")?.mode], [0o666, 0o600]);
});

Deno.test("CopyWriter never writes through a name that is taken", () => {
  using scene = new CopyScene({ root: { "/l": "l:../outside/secret", "/f": "f:old" } });
  const writer = writerOf(scene);
  for (const path of ["/l", "/f"]) {
    throws(
      () => writer.writeFile(placeOf(scene.rootfs, rawPath(path)), new Uint8Array(1), META),
      (error) => error instanceof SystemError && error.errnoName === "EEXIST",
    );
  }
  deepEqual([scene.outside(), scene.root()["/f"], writer.written], [{ "/secret": "f:secret" }, "f:old", []]);
});

Deno.test("CopyWriter sets a capability last, so that it survives, and hashes it", () => {
  using scene = new CopyScene();
  const writer = writerOf(scene);
  const xattrs = new Map([["security.capability", CAPABILITY]]);
  writer.writeFile(placeOf(scene.rootfs, rawPath("/f")), new Uint8Array(), { ...META, mode: 0o755, xattrs });
  deepEqual(readXattrs(rawPath(scene.hostPath("/f"))).get("security.capability"), CAPABILITY);
  hasher.begin(CAPABILITY);
  equal(scene.known.get(scene.node("/f")?.ino ?? 0n), hasher.end());
});

Deno.test("CopyWriter warns, knows no content and goes on when a capability is refused", () => {
  using scene = new CopyScene();
  const xattrs = new Map([["security.capability", Uint8Array.of(1, 2, 3)], ["nonsense", Uint8Array.of(1)]]);
  writerOf(scene).writeFile(placeOf(scene.rootfs, rawPath("/f")), new Uint8Array(), { ...META, xattrs });
  deepEqual([scene.known.size, scene.log.map((line) => line.split(" ")[0]).sort()], [0, ["debug", "warn"]]);
});

Deno.test("copiedXattrs leaves out what belongs to the machine", () => {
  using scene = new CopyScene({ source: { "/f": "f:" } });
  const path = rawPath(scene.sourcePath("/f"));
  setXattr(path, "security.capability", CAPABILITY);
  for (const name of ["user.a", "trusted.overlay.x", "trusted.b"]) trySetXattr(path, name);
  const names = [...copiedXattrs(path).keys()];
  equal(names.includes("security.capability"), true);
  equal(names.includes("trusted.overlay.x"), false);
});

/** Not every file system takes every attribute. */
function trySetXattr(path: ReturnType<typeof rawPath>, name: string): void {
  try {
    setXattr(path, name, Uint8Array.of(1));
  } catch (error: unknown) {
    if (!(error instanceof SystemError)) throw error;
  }
}

Deno.test("copyOf forgets a copy that something else was written over", () => {
  using scene = new CopyScene();
  const writer = writerOf(scene);
  writer.rememberCopy("1:2", rawPath("/a"));
  writer.note(rawPath("/b"));
  equal(writer.copyOf("1:2"), "/a");
  writer.note(rawPath("/a"));
  equal(writer.copyOf("1:2"), undefined);
});

Deno.test("hasWritten and makeDirectories tell of directories that were made", () => {
  using scene = new CopyScene({ root: { "/a": "d" } });
  const writer = writerOf(scene);
  writer.makeDirectories(rawPath("/a/b/c"), { uid: 1, gid: 2, mode: 0o700 });
  deepEqual(writer.written, ["/a/b", "/a/b/c"]);
  deepEqual([writer.hasWritten(rawPath("/a")), writer.hasWritten(rawPath("/a/b"))], [false, true]);
});

Deno.test("warnProtected warns once for each place", () => {
  using scene = new CopyScene({ protectedPaths: ["/proc", "/etc/hosts"] });
  const writer = writerOf(scene);
  for (const path of ["/proc/1", "/proc/2/x", "/etc/hosts", "/proc"]) writer.warnProtected(rawPath(path));
  deepEqual(
    scene.log,
    ["/proc", "/etc/hosts"].map((place) => `warn Not copied to "${place}": a mount or kiln's own folder is there`),
  );
});
