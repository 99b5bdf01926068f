import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { parseMountInfo, readMountInfo } from "../../../src/sys/mountinfo.ts";
import { pathText } from "../../../src/sys/raw_path.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("parseMountInfo reads all fields, whatever the number of optional ones", () => {
  const text = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 propagate_from:2 - ext3 /dev/root rw,errors=continue\n" +
    "37 36 0:5 / /proc rw - proc none rw\n";
  const [first, second] = parseMountInfo(bytes(text));
  deepEqual(first, {
    id: 36,
    parentId: 35,
    device: "98:0",
    root: "/mnt1",
    path: "/mnt2",
    options: ["rw", "noatime"],
    type: "ext3",
    source: "/dev/root",
  });
  deepEqual([second?.path, second?.type, second?.source], ["/proc", "proc", "none"]);
});

Deno.test("parseMountInfo decodes octal escapes and keeps other bytes", () => {
  const line = bytes("1 0 0:1 / /a\\040b\\011c\\012d\\134e/ü[x] rw - tmpfs t\\040s rw\n");
  const [mount] = parseMountInfo(line);
  equal(pathText(mount?.path ?? mountMissing()), "/a b\tc\nd\\e/ü[x]");
  equal(mount?.source, "t s");
});

Deno.test("parseMountInfo gives nothing for nothing", () => deepEqual(parseMountInfo(new Uint8Array()), []));

Deno.test("parseMountInfo names the line that it does not understand", () => {
  for (
    const line of ["nonsense", "1 0 0:1 / /a rw tmpfs none rw", "x 0 0:1 / /a rw - tmpfs none rw", "1 0 0:1 / /a rw -"]
  ) {
    throws(() => parseMountInfo(bytes(`1 0 0:1 / / rw - tmpfs none rw\n${line}\n`)), {
      code: "format",
      message: `Cannot read the mount table: line 2 is "${line}"`,
    }, line);
  }
});

Deno.test("readMountInfo finds our root and /proc", () => {
  const mounts = readMountInfo();
  ok(mounts.some((mount) => mount.path === "/"));
  ok(mounts.some((mount) => mount.path === "/proc" && mount.type === "proc"));
});

function mountMissing(): never {
  throw new TypeError("no mount was read");
}
