import { deepEqual, equal, throws } from "node:assert/strict";
import { lastReport, type LaunchSpec, takeLaunchSpec, writeLaunchSpec } from "../../../src/runner/launch_spec.ts";
import { rawPath, rawPathFromBytes } from "../../../src/sys/raw_path.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const SPEC: LaunchSpec = {
  root: rawPathFromBytes(new Uint8Array([0x2f, 0xff, 0x80])),
  sandbox: { kind: "private", hasOwnPids: true, files: [{ source: rawPath("/a"), target: rawPath("/b") }] },
  command: rawPath("/bin/ü"),
  argv: ["a", "", "\n\"'"],
  env: ["A=ü", "B="],
  workdir: "/",
  uid: 1,
  gid: 2,
  groups: [3],
  reportPath: "/r",
};

Deno.test("takeLaunchSpec gives what writeLaunchSpec took, once, from a file that only we can read", async () => {
  await using folder = await makeTempDir();
  const path = `${folder.path}/spec`;
  writeLaunchSpec(path, SPEC);
  equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
  throws(() => writeLaunchSpec(path, SPEC), Deno.errors.AlreadyExists);
  deepEqual(takeLaunchSpec(path), SPEC);
  throws(() => takeLaunchSpec(path), Deno.errors.NotFound);
});

Deno.test("lastReport gives the last line", () => {
  equal(lastReport(""), undefined);
  deepEqual(lastReport('{"kind":"executing"}\n'), { kind: "executing" });
  deepEqual(lastReport('{"kind":"executing"}\n{"kind":"refused","what":"proc"}\n'), { kind: "refused", what: "proc" });
});
