import { deepEqual, equal, rejects } from "node:assert/strict";
import { InplaceRunner } from "../../../src/runner/inplace_runner.ts";
import type { RunSpec } from "../../../src/runner/runner.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { contentMount, tmpfsMount } from "../../support/command_mounts.ts";
import { listFiles } from "../../support/leftovers.ts";
import { CollectedOutput, QUICK } from "../../support/runner_scene.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const SPEC: RunSpec = {
  root: rawPath("/"),
  argv: ["true"],
  env: ["PATH=/bin:/usr/bin", "=ignored", "NOVALUE"],
  workdir: "/",
  uid: 0,
  gid: 0,
  groups: [],
};
const QUIET = { write: (): void => undefined };

Deno.test("InplaceRunner refuses another root than /", async () => {
  const run = new InplaceRunner().run({ ...SPEC, root: rawPath("/tmp") }, QUIET, new AbortController().signal);
  await rejects(run, { code: "unsupported", message: /"\/tmp"/ });
});

Deno.test("InplaceRunner leaves our umask alone", async () => {
  const before = Deno.umask(0o077);
  try {
    const chunks: Uint8Array[] = [];
    const output = { write: (_: string, bytes: Uint8Array): void => void chunks.push(bytes) };
    await new InplaceRunner().run({ ...SPEC, argv: ["sh", "-c", "umask"] }, output, new AbortController().signal);
    equal(new TextDecoder().decode(chunks[0]), "0022\n");
    equal(Deno.umask(), 0o077);
  } finally {
    Deno.umask(before);
  }
});

Deno.test("InplaceRunner tells a working directory that is not there", async () => {
  const run = new InplaceRunner().run({ ...SPEC, workdir: "/no/such/dir" }, QUIET, new AbortController().signal);
  await rejects(run, { code: "system", message: /enter "\/no\/such\/dir"/ });
});

Deno.test("InplaceRunner puts mounts in place, runs without network where that is permitted, and removes them", async () => {
  await using folder = await makeTempDir();
  const network = Deno.readLinkSync("/proc/thread-self/ns/net");
  const output = new CollectedOutput();
  const target = `${folder.path}/in`;
  const status = await new InplaceRunner(QUICK, rawPath(folder.path)).run(
    {
      root: rawPath("/"),
      argv: [`${target}/script`],
      env: ["PATH=/usr/bin:/bin"],
      workdir: "/",
      uid: 0,
      gid: 0,
      groups: [],
      mounts: [
        tmpfsMount(target),
        contentMount(`${target}/script`, "#!/bin/sh\ntail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '\n", {
          mode: 0o755,
        }),
      ],
      network: "none",
    },
    output,
    new AbortController().signal,
  );
  deepEqual([status.kind, output.stdout, output.stderr], ["exited", "lo\n", ""]);
  deepEqual(await listFiles(folder.path), []);
  equal(Deno.readLinkSync("/proc/thread-self/ns/net"), network);
});
