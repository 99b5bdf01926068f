import { deepEqual, equal, rejects } from "node:assert/strict";
import type { ProgramRunner } from "../../../src/registry/credential_program.ts";
import { storeLogin } from "../../../src/registry/docker_login.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const LOGIN = { registry: "r.io", username: "ann", password: "pässword" };
const AUTH = "YW5uOnDDpHNzd29yZA==";
const signal = new AbortController().signal;
const services = { runProgram: (): Promise<never> => Promise.reject(new Error("no program")), signal };

Deno.test("storeLogin keeps everything else of the file, and its own mode is 0600", async () => {
  await using folder = await makeTempDir();
  const path = `${folder.path}/config.json`;
  const before = { auths: { "a.io": { auth: "eDp5" }, "r.io": { auth: "b2xkOm9sZA==" } }, HttpHeaders: { X: "1" } };
  await Deno.writeTextFile(path, JSON.stringify(before), { mode: 0o644 });
  equal(await storeLogin(path, LOGIN, services), path);
  deepEqual(JSON.parse(await Deno.readTextFile(path)), {
    auths: { "a.io": { auth: "eDp5" }, "r.io": { auth: AUTH } },
    HttpHeaders: { X: "1" },
  });
  equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
  deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["config.json"]);
});

Deno.test("storeLogin replaces the target of a link, and makes what is missing", async () => {
  await using folder = await makeTempDir();
  await Deno.writeTextFile(`${folder.path}/real.json`, "");
  await Deno.symlink(`${folder.path}/real.json`, `${folder.path}/config.json`);
  await storeLogin(`${folder.path}/config.json`, LOGIN, services);
  equal((await Deno.lstat(`${folder.path}/config.json`)).isSymlink, true);
  deepEqual(JSON.parse(await Deno.readTextFile(`${folder.path}/real.json`)), { auths: { "r.io": { auth: AUTH } } });
  await storeLogin(`${folder.path}/a/b/config.json`, LOGIN, services);
  equal(((await Deno.stat(`${folder.path}/a/b`)).mode ?? 0) & 0o777, 0o700);
});

Deno.test("storeLogin hands the login to the helper that the file names, and writes nothing", async () => {
  await using folder = await makeTempDir();
  const path = `${folder.path}/config.json`;
  const text = JSON.stringify({ credHelpers: { "r.io": "one" }, credsStore: "all" });
  await Deno.writeTextFile(path, text);
  const seen: unknown[] = [];
  const empty = new Uint8Array();
  const runProgram: ProgramRunner = (program, input, _signal, action) => {
    seen.push([program, action, JSON.parse(input).ServerURL]);
    return Promise.resolve({ success: program !== "docker-credential-bad", stdout: empty, stderr: empty });
  };
  equal(await storeLogin(path, LOGIN, { runProgram, signal }), "docker-credential-one");
  await storeLogin(path, { ...LOGIN, registry: "index.docker.io" }, { runProgram, signal });
  deepEqual(seen, [
    ["docker-credential-one", "store", "r.io"],
    ["docker-credential-all", "store", "https://index.docker.io/v1/"],
  ]);
  equal(await Deno.readTextFile(path), text);
  await Deno.writeTextFile(path, JSON.stringify({ credsStore: "bad" }));
  await rejects(storeLogin(path, LOGIN, { runProgram, signal }), /"docker-credential-bad" does not keep r\.io/);
});

Deno.test("storeLogin leaves a broken file as it is, and says where it cannot write", async () => {
  await using folder = await makeTempDir();
  const path = `${folder.path}/config.json`;
  await Deno.writeTextFile(path, "{broken");
  await rejects(storeLogin(path, LOGIN, services), /config\.json.*not JSON/);
  equal(await Deno.readTextFile(path), "{broken");
  await rejects(storeLogin("/proc/none/config.json", LOGIN, services), /Cannot write credentials to \/proc\/none/);
});
