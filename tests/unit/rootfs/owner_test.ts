/** Names to numbers, for COPY --chown and for RUN. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { ContextError } from "../../../src/context/context_error.ts";
import { resolveChown, resolveUser } from "../../../src/rootfs/owner.ts";
import { CopyScene } from "../../support/copy_scene.ts";

const PASSWD =
  "f:root:x:0:0:root:/root:/bin/sh\nbob:x:7:8::/home/bob:\nnohome:x:9:9:::\n12:x:99:99::/twelve:\nroot2:x:0:5::/root2:";
const GROUP = "f:root:x:0:\nwheel:x:10:bob,root\nstaff:x:20:bob\nempty:x:30:\nstaff2:x:20:bob";
const ETC = { "/etc/passwd": PASSWD, "/etc/group": GROUP };

const CHOWNS: readonly (readonly [spec: string, uid: number, gid: number])[] = [
  ["bob", 7, 8],
  ["7", 7, 7],
  ["1234", 1234, 1234],
  ["root", 0, 0],
  ["nosuch", 0, 0],
  ["bob:staff", 7, 20],
  ["bob:30", 7, 30],
  ["7:staff", 7, 20],
  ["1:2", 1, 2],
  [":staff", 0, 20],
  [":30", 0, 30],
  ["bob:nosuch", 7, 8],
  ["7:nosuch", 7, 7],
  ["nosuch:staff", 0, 20],
  ["bob:root", 7, 0],
  ["bob:", 7, 8],
  ["12", 12, 12],
];

for (const [spec, uid, gid] of CHOWNS) {
  Deno.test(`resolveChown gives ${uid}:${gid} for "${spec}"`, () => {
    using scene = new CopyScene({ root: ETC });
    deepEqual(resolveChown(scene.rootfs, spec), { uid, gid });
  });
}

Deno.test("resolveChown gives root for names when the image has files but no passwd", () => {
  using scene = new CopyScene({ root: { "/a": "f:" } });
  deepEqual(resolveChown(scene.rootfs, "bob:staff"), { uid: 0, gid: 0 });
});

for (const spec of ["bob", "1:staff", ":staff"]) {
  Deno.test(`resolveChown refuses the name in "${spec}" when the image is empty`, () => {
    using scene = new CopyScene({
      root: { "/proc/1": "f:", "/etc/hosts": "f:" },
      protectedPaths: ["/proc", "/etc/hosts"],
    });
    throws(() => resolveChown(scene.rootfs, spec), (error) => {
      equal(error instanceof ContextError && error.reason, "the image is empty and knows no names");
      return true;
    });
  });
}

Deno.test("resolveChown takes numbers and root when the image is empty", () => {
  using scene = new CopyScene();
  deepEqual(["7", "7:8", "root", "root:root", ""].map((spec) => resolveChown(scene.rootfs, spec)), [
    { uid: 7, gid: 7 },
    { uid: 7, gid: 8 },
    { uid: 0, gid: 0 },
    { uid: 0, gid: 0 },
    { uid: 0, gid: 0 },
  ]);
});

const USERS: readonly (readonly [user: string, uid: number, gid: number, groups: readonly number[], home: string])[] = [
  ["", 0, 0, [10], "/root"],
  ["root", 0, 0, [10], "/root"],
  ["0", 0, 0, [10], "/root"],
  ["bob", 7, 8, [10, 20], "/home/bob"],
  ["7", 7, 8, [10, 20], "/home/bob"],
  ["bob:staff", 7, 20, [], "/home/bob"],
  ["bob:8", 7, 8, [], "/home/bob"],
  ["bob:", 7, 8, [10, 20], "/home/bob"],
  ["1042", 1042, 0, [], "/"],
  ["1042:1043", 1042, 1043, [], "/"],
  ["7:1043", 7, 1043, [], "/home/bob"],
  ["nohome", 9, 9, [], "/"],
  ["12", 12, 0, [], "/"],
  [":staff", 0, 20, [], "/root"],
];

for (const [user, uid, gid, groups, home] of USERS) {
  Deno.test(`resolveUser finds the identity of "${user}"`, () => {
    using scene = new CopyScene({ root: ETC });
    deepEqual(resolveUser(scene.rootfs, user), { uid, gid, groups, home });
  });
}

Deno.test("resolveUser takes numbers without passwd, and root is at home in /", () => {
  using scene = new CopyScene();
  deepEqual(["", "5", "5:6"].map((user) => resolveUser(scene.rootfs, user)), [
    { uid: 0, gid: 0, groups: [], home: "/" },
    { uid: 5, gid: 0, groups: [], home: "/" },
    { uid: 5, gid: 6, groups: [], home: "/" },
  ]);
});

const UNKNOWN: readonly (readonly [user: string, message: string])[] = [
  ["x", `Cannot use user "x": unable to find user x: no matching entries in passwd file`],
  ["x:staff", `Cannot use user "x": unable to find user x: no matching entries in passwd file`],
  ["bob:y", `Cannot use group "y": unable to find group y: no matching entries in group file`],
  ["4294967295", `Cannot use user "4294967295": unable to find user 4294967295: no matching entries in passwd file`],
];

for (const [user, message] of UNKNOWN) {
  Deno.test(`resolveUser refuses "${user}"`, () => {
    using scene = new CopyScene({ root: ETC });
    throws(() => resolveUser(scene.rootfs, user), (error) => {
      equal(error instanceof ContextError && error.message, message);
      return true;
    });
  });
}
