import { equal, rejects } from "node:assert/strict";
import { InplaceRunner } from "../../../src/runner/inplace_runner.ts";
import type { RunSpec } from "../../../src/runner/runner.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";

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
