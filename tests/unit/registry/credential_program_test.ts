import { deepEqual, equal, rejects } from "node:assert/strict";
import {
  type Credential,
  credentialFromProgram,
  type ProgramResult,
  runCredentialProgram,
} from "../../../src/registry/credential_program.ts";

const { signal } = new AbortController();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function ask(success: boolean, stdout: string, stderr = ""): Promise<Credential | undefined> {
  const runProgram = (): Promise<ProgramResult> =>
    Promise.resolve({ success, stdout: bytes(stdout), stderr: bytes(stderr) });
  return credentialFromProgram("x", "r.io", { runProgram, signal });
}

Deno.test("credentialFromProgram reads logins, identity tokens and their absence", async () => {
  deepEqual(await ask(true, '{"Username":"u","Secret":"s","ServerURL":"r.io"}'), {
    kind: "basic",
    username: "u",
    password: "s",
  });
  deepEqual(await ask(true, '{"Username":"<token>","Secret":"t"}'), { kind: "identity-token", token: "t" });
  equal(await ask(true, '{"Username":"","Secret":""}'), undefined);
  equal(await ask(false, "credentials not found in native keychain\n"), undefined);
});

Deno.test("credentialFromProgram throws FormatError when the program is broken", async () => {
  await rejects(ask(false, "", "no network\nmore"), /"docker-credential-x" failed for r.io: no network$/);
  await rejects(ask(true, "hello"), /Cannot read answer of "docker-credential-x"/);
  const runProgram = (): Promise<ProgramResult> => Promise.reject(new Deno.errors.NotFound("gone"));
  await rejects(credentialFromProgram("x", "r.io", { runProgram, signal }), /Cannot run credential helper/);
  await rejects(credentialFromProgram("../../bin/sh", "r.io", { runProgram, signal }), /not a name/);
});

Deno.test("runCredentialProgram gives the server on stdin and returns what the program prints", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const program = `${folder}/docker-credential-echo`;
    await Deno.writeTextFile(program, '#!/bin/sh\nread server\necho "$1 $server"\necho oops >&2\nexit 3\n');
    await Deno.chmod(program, 0o755);
    const result = await runCredentialProgram(program, "r.io\n", signal);
    equal(result.success, false);
    equal(new TextDecoder().decode(result.stdout), "get r.io\n");
    equal(new TextDecoder().decode(result.stderr), "oops\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
