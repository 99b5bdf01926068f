import { deepEqual, equal, match } from "node:assert/strict";
import { LOGIN_COMMAND } from "../../../src/cli/login_command.ts";
import { runCli } from "../../support/cli_world.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

Deno.test("LOGIN_COMMAND keeps the password of stdin, its last newline removed", async () => {
  await using folder = await makeTempDir();
  const env = { DOCKER_CONFIG: `${folder.path}/new/` };
  const args = [LOGIN_COMMAND.name, "https://docker.io/v1/", "-u", "ann", "--password-stdin"];
  const { code, err, out } = await runCli(args, { env, stdin: "p:w \r\n" });
  equal(code, 0, err);
  equal(out, "");
  match(err, /The login for index\.docker\.io is kept in .*\/new\/config\.json/);
  const config: unknown = JSON.parse(await Deno.readTextFile(`${folder.path}/new/config.json`));
  deepEqual(config, { auths: { "https://index.docker.io/v1/": { auth: btoa("ann:p:w ") } } });
});

Deno.test("LOGIN_COMMAND says what is missing or wrong, without the password", async () => {
  const env = { HOME: "/nonexistent" };
  const cases: readonly [args: readonly string[], reason: RegExp][] = [
    [["r.io"], /there is no --username/],
    [["r.io", "-u", "a:b", "-p", "secret"], /has no colon/],
    [["r.io", "-u", "a"], /the password is empty/],
    [["r.io", "-u", "a", "-p", "secret", "--password-stdin"], /exclude each other/],
    [["r.io/team", "-u", "a", "-p", "secret"], /Cannot log in to "r\.io\/team": expected a registry's host/],
    [["ubuntu", "-u", "a", "-p", "secret"], /expected a registry's host/],
    [[], /missing required argument 'registry'/],
  ];
  for (const [args, reason] of cases) {
    const { code, err } = await runCli(["login", ...args], { env });
    equal(code, 2, err);
    match(err, reason);
    equal(err.includes("secret"), false);
  }
  match((await runCli(["login", "r.io", "-u", "a", "-p", "b"])).err, /neither DOCKER_CONFIG nor HOME/);
});
