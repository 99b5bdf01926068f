/** Certificates and logins: https with an authority of one's own, basic and token authentication, for pull and push. */
import { deepEqual, equal, match } from "node:assert/strict";
import { pushLayout } from "../support/base_image.ts";
import { type BuildWorld, startBuildWorld, writeFiles } from "../support/build_world.ts";
import { assertCleanEnd } from "../support/clean_end.ts";
import { busyboxLayout } from "../support/debian_base.ts";
import type { FakeRegistryKnobs } from "../support/fake_registry.ts";
import { inspectConfig } from "../support/read_image.ts";
import { type RegistryProcess, startRegistry } from "../support/registry_process.ts";
import { sampleImage, storeImage } from "../support/sample_image.ts";
import { serveRegistry } from "../support/served_registry.ts";
import { TEST_AUTHORITY_PEM } from "../support/tls_certificate.ts";

const LOGIN = { user: "builder", password: "p4ss:wörd" };

interface Attempt {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The docker config.json, found through DOCKER_CONFIG. */
  readonly config?: unknown;
}

Deno.test("https and basic authentication with a real registry", async (t) => {
  await using world = await startBuildWorld();
  await using registry = await startRegistry({ isTls: true, login: LOGIN });
  await pushLayout(await busyboxLayout(), registry, ["base:1"], LOGIN);
  const { host, certificatePath } = registry;
  const config = { auths: { [host]: { auth: base64(`${LOGIN.user}:${LOGIN.password}`) } } };
  const trusted = [`--registry-certificate=${host}=${certificatePath}`];
  await t.step("an unknown authority is refused", async () => {
    const other = `${world.folder}/other.pem`;
    await Deno.writeTextFile(other, TEST_AUTHORITY_PEM);
    const failed = await attempt(world, registry, { config, args: [`--registry-certificate=${host}=${other}`] });
    equal(failed.code, 5, failed.stderr);
    match(failed.stderr, new RegExp(`${host}.*certificate`, "is"));
  });
  await t.step("an authority of one's own is trusted", () => succeed(world, registry, { config, args: trusted }));
  await t.step(
    "verification switched off for one registry",
    () => succeed(world, registry, { config, args: [`--skip-tls-verify-registry=${host}`] }),
  );
  await t.step("user and password as fields, and keys with a scheme", () =>
    succeed(world, registry, {
      args: trusted,
      config: { auths: { [`https://${host}/v2/`]: { username: LOGIN.user, password: LOGIN.password } } },
    }));
  await t.step("a credential helper on PATH", () => checkHelper(world, registry, trusted));
  await t.step("a wrong password", async () => {
    const wrong = { auths: { [host]: { auth: base64(`${LOGIN.user}:sesame-open`) } } };
    const failed = await attempt(world, registry, { config: wrong, args: trusted });
    equal(failed.code, 6, failed.stderr);
    match(failed.stderr, new RegExp(`${host}/base:1`));
    equal(failed.stderr.includes("sesame-open"), false, "secrets are not printed");
  });
  await t.step("no password", async () => {
    const failed = await attempt(world, registry, { args: trusted });
    equal(failed.code, 6, failed.stderr);
  });
  await t.step("a config.json that is none", async () => {
    const failed = await attempt(world, registry, { args: trusted, config: "not an object" });
    deepEqual([failed.code === 0, failed.code === 70], [false, false], failed.stderr);
    match(failed.stderr, /config\.json/);
  });
});

Deno.test("token authentication", async (t) => {
  await using world = await startBuildWorld();
  const auth: FakeRegistryKnobs["auth"] = { kind: "token", username: LOGIN.user, password: "pa55:word" };
  await using served = serveRegistry({ auth });
  const { host, registry } = served;
  storeImage(registry, "base", "1", sampleImage());
  const build = (password: string): Promise<Awaited<ReturnType<BuildWorld["build"]>>> =>
    attempt(world, served, {
      args: ["--insecure", "--insecure-pull"],
      config: { auths: { [host]: { auth: base64(`${LOGIN.user}:${password}`) } } },
      dockerfile: `FROM ${host}/base:1\nLABEL pulled=yes\n`,
    });
  await t.step("pull and push each ask for what they need", async () => {
    const built = await build("pa55:word");
    equal(built.code, 0, built.stderr);
    equal(registry.manifests.has("pushed:1"), true);
    const asked = registry.seen.filter(({ path }) => path.startsWith("/token"));
    equal(asked.length > 0, true);
    const basics = registry.seen.filter(({ authorization }) => authorization?.startsWith("Basic "));
    deepEqual(
      basics.filter(({ path }) => !path.startsWith("/token")),
      [],
      "the password goes to the token server alone",
    );
  });
  await t.step("a wrong password", async () => {
    const failed = await build("wrong");
    equal(failed.code, 6, failed.stderr);
    equal(failed.stderr.includes(base64(`${LOGIN.user}:wrong`)), false);
    await assertCleanEnd(failed);
  });
});

/** Builds FROM the registry's base:1 and pushes to it. */
async function attempt(
  world: BuildWorld,
  { host }: Pick<RegistryProcess, "host">,
  { args = [], env, config, dockerfile }: Attempt & { readonly dockerfile?: string },
): ReturnType<BuildWorld["build"]> {
  const folder = await Deno.makeTempDir({ dir: world.folder });
  if (config !== undefined) await writeFiles(folder, { "config.json": JSON.stringify(config) });
  return await world.build({
    dockerfile: dockerfile ?? `FROM ${host}/base:1\nRUN echo "built" > /file\n`,
    output: "by args",
    args: [`--destination=${host}/pushed:1`, ...args],
    env: { DOCKER_CONFIG: folder, ...env },
  });
}

async function succeed(world: BuildWorld, registry: RegistryProcess, options: Attempt): Promise<void> {
  const built = await attempt(world, registry, options);
  equal(built.code, 0, built.stderr);
  await assertCleanEnd(built);
  const flags = ["--tls-verify=false", `--creds=${LOGIN.user}:${LOGIN.password}`];
  equal((await inspectConfig(`docker://${registry.host}/pushed:1`, flags)).rootfs.diff_ids.length, 2);
}

async function checkHelper(world: BuildWorld, registry: RegistryProcess, trusted: readonly string[]): Promise<void> {
  const bin = await Deno.makeTempDir({ dir: world.folder });
  const answer = JSON.stringify({ ServerURL: registry.host, Username: LOGIN.user, Secret: LOGIN.password });
  await Deno.writeTextFile(
    `${bin}/docker-credential-demo`,
    `#!/bin/sh\n[ "$1" = get ] && cat >/dev/null && echo '${answer}'\n`,
    {
      mode: 0o755,
    },
  );
  await succeed(world, registry, {
    args: trusted,
    config: { credHelpers: { [registry.host]: "demo" } },
    env: { PATH: `${bin}:${Deno.env.get("PATH")}` },
  });
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
