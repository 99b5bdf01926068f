/** Reading passwd and group files of images. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { FormatError } from "../../../src/errors.ts";
import {
  MAX_ID,
  parseGroupFile,
  parseId,
  parsePasswd,
  readAccounts,
  readGroups,
} from "../../../src/rootfs/accounts.ts";
import { CopyScene } from "../../support/copy_scene.ts";

Deno.test("parsePasswd skips lines that make no sense and keeps the rest", () => {
  const text =
    "\n# comment\nroot:x:0:0:root:/root:/bin/sh\nbroken\nx:y\n:x:1:1::/:/\nneg:x:-1:0::/:\nword:x:a:b::/:\n" +
    "huge:x:99999999999:0::/:\nnogid:x:1\nshort:x:5:6\r\n  blank:x:7:8::/home/b:  \n";
  deepEqual(parsePasswd(text), [
    { name: "root", uid: 0, gid: 0, home: "/root" },
    { name: "short", uid: 5, gid: 6, home: "" },
    { name: "blank", uid: 7, gid: 8, home: "/home/b" },
  ]);
});

Deno.test("parseGroupFile reads members and skips lines that make no sense", () => {
  deepEqual(parseGroupFile("a:x:1:u, v,\nb:x:\nc\n:x:2:\nd:x:3\n"), [
    { name: "a", gid: 1, members: ["u", "v"] },
    { name: "d", gid: 3, members: [] },
  ]);
});

Deno.test("parseId takes decimal numbers up to the largest id", () => {
  const texts = ["0", "007", String(MAX_ID), String(MAX_ID + 1), "-1", "+1", "1e3", "", " 1", "0x10"];
  deepEqual(texts.map(parseId), [0, 7, MAX_ID, ...Array(7).fill(undefined)]);
  equal(parseId(undefined), undefined);
});

Deno.test("readAccounts follows links inside the root", () => {
  using scene = new CopyScene({
    root: { "/etc/passwd": "l:../../../usr/lib/passwd", "/usr/lib/passwd": "f:a:x:1:2::/a:" },
  });
  deepEqual(readAccounts(scene.rootfs), [{ name: "a", uid: 1, gid: 2, home: "/a" }]);
});

Deno.test("readAccounts and readGroups give undefined when the files are missing or links dangle", () => {
  using scene = new CopyScene({ root: { "/etc/passwd": "l:/nowhere" } });
  deepEqual([readAccounts(scene.rootfs), readGroups(scene.rootfs)], [undefined, undefined]);
});

for (const [node, reason] of [["d", "it is a directory, not a file"], ["p", "it is a fifo, not a file"]] as const) {
  Deno.test(`readAccounts refuses a passwd of kind ${node} without opening it`, () => {
    using scene = new CopyScene({ root: { "/etc/passwd": node } });
    throws(() => readAccounts(scene.rootfs), (error) => {
      const message = `Cannot look up users in "/etc/passwd" of the image: ${reason}`;
      equal(error instanceof FormatError && error.message, message);
      return true;
    });
  });
}

Deno.test("readGroups refuses a file larger than 10 MiB", () => {
  using scene = new CopyScene({ root: { "/etc/group": "f:" } });
  Deno.truncateSync(scene.hostPath("/etc/group"), (10 << 20) + 1);
  throws(() => readGroups(scene.rootfs), /larger than 10 MiB/);
});
