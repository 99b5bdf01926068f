import { deepEqual, equal, throws } from "node:assert/strict";
import { environmentValue, failure, findCommand } from "../../../src/runner/find_command.ts";
import type { RunSpec } from "../../../src/runner/runner.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { type BusyboxRoot, makeBusyboxRoot } from "../../support/busybox_root.ts";

function specOf(rootfs: BusyboxRoot, word: string, env: readonly string[] = [], workdir = "/"): RunSpec {
  return { root: rootfs.root, argv: [word], env, workdir, uid: 0, gid: 0, groups: [] };
}

Deno.test("findCommand searches PATH inside the root and follows symlinks there", async () => {
  await using rootfs = await makeBusyboxRoot();
  await Deno.mkdir(`${rootfs.path}/opt`);
  await Deno.symlink("/bin/busybox", `${rootfs.path}/opt/abs`);
  await Deno.symlink("../../../../../../bin/busybox", `${rootfs.path}/opt/up`);
  const busybox = rawPath(`${rootfs.path}/bin/busybox`);
  deepEqual(findCommand(specOf(rootfs, "sh")), { path: "/bin/sh", outside: busybox });
  for (const name of ["abs", "up"]) {
    deepEqual(findCommand(specOf(rootfs, name, ["PATH=/none:/opt"])), { path: `/opt/${name}`, outside: busybox });
    deepEqual(findCommand(specOf(rootfs, `./${name}`, [], "/opt")).path, `/opt/${name}`);
    deepEqual(findCommand(specOf(rootfs, name, ["PATH=:/none"], "/opt")).path, `/opt/${name}`);
  }
});

Deno.test("findCommand does not find what only the host has", async () => {
  await using rootfs = await makeBusyboxRoot();
  await Deno.symlink("/usr/bin/bash", `${rootfs.path}/bin/bash`);
  const expected = { exitCode: 127, code: "run" };
  throws(() => findCommand(specOf(rootfs, "bash")), {
    ...expected,
    message: /exec: "bash": executable file not found/,
  });
  throws(() => findCommand(specOf(rootfs, "/bin/bash")), { ...expected, message: /no such file or directory/ });
});

Deno.test("findCommand tells what is wrong with a file", async () => {
  await using rootfs = await makeBusyboxRoot();
  const put = async (name: string, content: string | Uint8Array, mode = 0o755): Promise<void> => {
    await Deno.writeFile(
      `${rootfs.path}/${name}`,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
    await Deno.chmod(`${rootfs.path}/${name}`, mode);
  };
  await put("bare", "echo hello\n");
  await put("closed", "#!/bin/sh\n", 0o644);
  await put("bad", "#!   /usr/bin/perl5 -w\n");
  await put("good", "#!/bin/sh -e");
  await put("relative", "#!bin/sh\n");
  await put("dynamic", await Deno.readFile("/bin/ls"));
  await Deno.symlink("loop", `${rootfs.path}/loop`);
  const cases: [string, number, RegExp][] = [
    ["/bare", 126, /exec format error/],
    ["/closed", 126, /permission denied/],
    ["/bad", 127, /its interpreter "\/usr\/bin\/perl5" is not in the image/],
    ["/dynamic", 127, /its interpreter "\/lib.*ld-linux.*" is not in the image/],
    ["/bin", 126, /is a directory/],
    ["/loop", 127, /no such file/],
    ["/good/below", 127, /no such file/],
  ];
  for (const [word, exitCode, message] of cases) {
    throws(() => findCommand(specOf(rootfs, word)), { exitCode, message }, word);
  }
  equal(findCommand(specOf(rootfs, "/good")).path, "/good");
  equal(findCommand(specOf(rootfs, "/relative")).path, "/relative");
  throws(() => findCommand(specOf(rootfs, "closed", ["PATH=/"])), { exitCode: 126, message: /permission denied/ });
});

Deno.test("failure and environmentValue say what they are given", () => {
  equal(failure("x", "because", 126).message, 'Cannot run "x": exec: "x": because');
  const env = ["PATH=a", "PATHS=b", "PATH=c=d", "EMPTY="];
  deepEqual(["PATH", "EMPTY", "NONE"].map((name) => environmentValue(env, name)), ["c=d", "", undefined]);
});
