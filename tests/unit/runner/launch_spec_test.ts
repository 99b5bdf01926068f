import { deepEqual, equal, throws } from "node:assert/strict";
import { encodeLaunchInput, lastReport, type LaunchSpec, readLaunchInput } from "../../../src/runner/launch_spec.ts";
import { rawPath, rawPathFromBytes } from "../../../src/sys/raw_path.ts";

const SPEC: LaunchSpec = {
  root: rawPathFromBytes(new Uint8Array([0x2f, 0xff, 0x80])),
  sandbox: {
    kind: "private",
    hasOwnPids: true,
    files: [{ source: rawPath("/a"), target: rawPath("/b") }],
    mounts: [
      { kind: "content", target: rawPath("/s"), sizeBytes: 3, mode: 0o400, uid: 1, gid: 2 },
      { kind: "tmpfs", target: rawPath("/t") },
      { kind: "content", target: rawPath("/u"), sizeBytes: 0, mode: 0o755, uid: 0, gid: 0 },
      { kind: "content", target: rawPath("/v"), sizeBytes: 1, mode: 0o755, uid: 0, gid: 0 },
    ],
    stagingFolder: rawPath("/staging"),
    isOffline: false,
  },
  command: rawPath("/bin/ü"),
  argv: ["a", "", "\n\"'"],
  env: ["A=ü", "B="],
  workdir: "/",
  uid: 1,
  gid: 2,
  groups: [3],
  reportPath: "/r",
};
const CONTENTS = [new Uint8Array([0, 10, 255]), new Uint8Array(), new Uint8Array([7])];

function reader(bytes: Uint8Array, chunkBytes: number): (buffer: Uint8Array) => number | null {
  let at = 0;
  return (buffer) => {
    const part = bytes.subarray(at, at + Math.min(buffer.length, chunkBytes));
    buffer.set(part);
    at += part.length;
    return part.length === 0 ? null : part.length;
  };
}

for (const chunkBytes of [1, 7, 1 << 20]) {
  Deno.test(`readLaunchInput gives what encodeLaunchInput took when it comes in chunks of ${chunkBytes}`, () => {
    const input = { spec: SPEC, contents: CONTENTS };
    deepEqual(readLaunchInput(reader(encodeLaunchInput(input), chunkBytes)), input);
  });
}

Deno.test("readLaunchInput throws when the input ends early", () => {
  const bytes = encodeLaunchInput({ spec: SPEC, contents: CONTENTS });
  for (const length of [0, 5, 100, bytes.length - 1]) {
    throws(() => readLaunchInput(reader(bytes.subarray(0, length), 64)), { code: "internal" });
  }
});

Deno.test("lastReport gives the last line", () => {
  equal(lastReport(""), undefined);
  deepEqual(lastReport('{"kind":"executing"}\n'), { kind: "executing" });
  deepEqual(lastReport('{"kind":"executing"}\n{"kind":"refused","what":"proc"}\n'), { kind: "refused", what: "proc" });
});
