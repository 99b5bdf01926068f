/** Logins against real registries: htpasswd over TLS, a token server that signs, tokens that run out within an upload. */
import { equal, match, ok } from "node:assert/strict";
import { busyboxLayout } from "../support/debian_base.ts";
import { kiln, tryKiln } from "../support/kiln_command.ts";
import { startRegistry } from "../support/registry_process.ts";
import { mustRun } from "../support/run_command.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { TEST_AUTHORITY_PEM } from "../support/tls_certificate.ts";
import { startTokenRegistry } from "../support/token_registry.ts";

const LOGIN = { user: "ann", password: "pass word" };

Deno.test("copy and inspect work over TLS with htpasswd, certificate and login by host", async () => {
  await using registry = await startRegistry({ isTls: true, login: LOGIN });
  await using folder = await makeTempDir();
  const env = { DOCKER_CONFIG: folder.path };
  await kiln(["login", registry.host, "-u", LOGIN.user, "--password-stdin"], { env, stdin: LOGIN.password });
  const trust = `--registry-certificate=${registry.host}=${registry.certificatePath}`;
  const name = `${registry.host}/a:1`;
  const digest = await kiln(["copy", trust, `oci-layout://${await busyboxLayout()}`, name], { env });
  match(await kiln(["inspect", trust, name], { env }), new RegExp(digest));
  match(await kiln(["inspect", `--skip-tls-verify-registry=${registry.host}`, name], { env }), new RegExp(digest));
  const credentials = ["--creds", `${LOGIN.user}:${LOGIN.password}`, "--tls-verify=false"];
  equal(
    (await mustRun(["skopeo", "inspect", "--format={{.Digest}}", ...credentials, `docker://${name}`])).trim(),
    digest,
  );

  await Deno.writeTextFile(`${folder.path}/other.pem`, TEST_AUTHORITY_PEM);
  const other = `--registry-certificate=${registry.host}=${folder.path}/other.pem`;
  const untrusted = await tryKiln(["inspect", other, name], { env });
  equal(untrusted.code, 5);
  match(untrusted.stderr, /certificate[^]*Hint: Trust the registry's authority with --registry-certificate=/);
});

Deno.test("a token server's tokens are asked for by scope, and again when they run out within a push", async () => {
  await using registry = await startTokenRegistry({ ...LOGIN, lifeSeconds: 2 });
  await using folder = await makeTempDir();
  const env = { DOCKER_CONFIG: folder.path };
  const layout = await busyboxLayout();
  const refused = await tryKiln(["push", layout, "-d", `${registry.host}/team/app:1`], { env });
  equal(refused.code, 6, refused.stderr);
  await kiln(["login", registry.host, "-u", LOGIN.user, "--password-stdin"], { env, stdin: LOGIN.password });
  const digest = await kiln(["push", layout, "-d", `${registry.host}/team/app:1`], { env });
  equal(await kiln(["copy", `${registry.host}/team/app:1`, `${registry.host}/other/app:2`], { env }), digest);
  ok(registry.scopes().includes("repository:team/app:pull,push"));
  ok(registry.scopes().some((scope) => scope === "repository:team/app:pull"));

  registry.expireEvery(3);
  equal(await kiln(["copy", `${registry.host}/team/app:1`, `${registry.host}/third/app:2`], { env }), digest);
});
