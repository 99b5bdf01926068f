/** login, push, copy, inspect and index against real registries, their results read back by skopeo. */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { busyboxLayout, pushBusybox } from "../support/debian_base.ts";
import { kiln, tryKiln } from "../support/kiln_command.ts";
import { startRegistry } from "../support/registry_process.ts";
import { mustRun } from "../support/run_command.ts";
import { makeTempDir } from "../support/temp_dir.ts";

const LOGIN = { user: "ann", password: "s3cret:with colon" };
const SKOPEO = ["skopeo", "--insecure-policy"];

interface Raw {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string; readonly mediaType: string }[];
}

async function rawManifest(image: string): Promise<Raw> {
  const flags = image.startsWith("docker://") ? ["--tls-verify=false"] : [];
  return JSON.parse(await mustRun(["skopeo", "inspect", "--raw", ...flags, image]));
}

Deno.test("copy keeps an image's digest from layout to registry to layout, and its config through an archive", async () => {
  await using registry = await startRegistry();
  await using folder = await makeTempDir();
  const layout = await busyboxLayout();
  const name = `${registry.host}/team/busybox:1`;
  const digest = await kiln(["copy", `oci-layout://${layout}:latest`, name]);
  match(digest, /^sha256:[0-9a-f]{64}$/);
  deepEqual(await rawManifest(`docker://${name}`), await rawManifest(`oci:${layout}:latest`));

  equal(await kiln(["copy", name, `oci-layout://${folder.path}/copy:v1`]), digest);
  deepEqual(await rawManifest(`oci:${folder.path}/copy:v1`), await rawManifest(`oci:${layout}:latest`));

  const archive = `${folder.path}/a.tar`;
  await kiln(["copy", name, `docker-archive://${archive}`]);
  const { config } = await rawManifest(`docker://${name}`);
  await mustRun([...SKOPEO, "copy", `docker-archive:${archive}`, `oci:${folder.path}/by-skopeo:x`]);
  equal((await rawManifest(`oci:${folder.path}/by-skopeo:x`)).config.digest, config.digest);
  equal(await kiln(["push", archive, "-d", `${registry.host}/again:1`]).then((text) => text.slice(0, 7)), "sha256:");
  equal((await rawManifest(`docker://${registry.host}/again:1`)).config.digest, config.digest);
});

Deno.test("push compresses the plain layers of skopeo's archive, and pushes a layout as it is", async () => {
  await using registry = await startRegistry();
  await using folder = await makeTempDir();
  const layout = await busyboxLayout();
  const archive = `${folder.path}/a.tar`;
  await mustRun([...SKOPEO, "copy", `oci:${layout}:latest`, `docker-archive:${archive}:box:7`]);
  const names = [`${registry.host}/x:1`, `${registry.host}/y/z:2`];
  const digest = await kiln(["push", archive, "--destination", names[0] ?? "", "-d", names[1] ?? ""]);
  for (const name of names) {
    const { layers } = await rawManifest(`docker://${name}`);
    deepEqual(layers.map(({ mediaType }) => mediaType), ["application/vnd.docker.image.rootfs.diff.tar.gzip"]);
    const pulled = await mustRun([
      "skopeo",
      "inspect",
      "--tls-verify=false",
      "--format={{.Digest}}",
      `docker://${name}`,
    ]);
    equal(pulled.trim(), digest);
  }
  await mustRun([...SKOPEO, "copy", "--src-tls-verify=false", `docker://${names[0]}`, `oci:${folder.path}/o:1`]);
  await mustRun(["umoci", "unpack", "--image", `${folder.path}/o:1`, `${folder.path}/bundle`]);
  equal(
    await kiln(["push", layout, "-d", `${registry.host}/layout`]),
    await kiln(["copy", `oci-layout://${layout}`, `${registry.host}/layout:2`]),
  );
});

Deno.test("inspect shows an image as text and as JSON, from a registry and from files", async () => {
  await using registry = await startRegistry();
  await pushBusybox(registry, ["box:1"]);
  const name = `${registry.host}/box:1`;
  const text = await kiln(["inspect", name]);
  match(text, new RegExp(`^Name: +${name}\nDigest: +sha256:[0-9a-f]{64}\nType: +application/vnd\\.oci`));
  match(text, /\nPlatform: +linux\/\w+\n/);
  match(text, /\nLayers: +1, \d+\.\d [kM]B\n {2}sha256:[0-9a-f]{64} +\d+\.\d [kM]B {2}gzip$/);
  const { config, manifest, digest } = JSON.parse(await kiln(["inspect", "--format=json", name]));
  deepEqual(manifest.layers, (await rawManifest(`docker://${name}`)).layers);
  deepEqual(config.config.Cmd, ["sh"]);
  const local = JSON.parse(await kiln(["inspect", "--format=json", `oci-layout://${await busyboxLayout()}`]));
  equal(local.digest, digest);
  const missing = await tryKiln(["inspect", `${registry.host}/box:2`]);
  equal(missing.code, 5);
  match(missing.stderr, new RegExp(`Cannot read ${registry.host}/box:2: manifest unknown \\(404\\)`));
});

Deno.test("index makes one name for two platforms, and copy moves it as a whole or by platform", async () => {
  await using registry = await startRegistry();
  await using folder = await makeTempDir();
  const { host } = registry;
  await kiln(["copy", `oci-layout://${await busyboxLayout()}`, `${host}/amd:1`]);
  const other = await armImage(folder.path, await busyboxLayout());
  const armDigest = await kiln(["push", other, "-d", `${host}/arm:1`]);
  const digest = await kiln(["index", `${host}/amd:1`, `${host}/arm:1`, "-d", `${host}/multi:1`, "--annotation=a=b"]);
  const index = JSON.parse(
    await mustRun(["skopeo", "inspect", "--raw", "--tls-verify=false", `docker://${host}/multi:1`]),
  );
  equal(index.mediaType, "application/vnd.oci.image.index.v1+json");
  deepEqual(index.annotations, { a: "b" });
  equal(index.manifests.length, 2);
  const copy = ["copy", "--override-arch=s390x", "--src-tls-verify=false", `docker://${host}/multi:1`];
  equal(await mustRun([...SKOPEO, ...copy, `oci:${folder.path}/by-skopeo`]).catch(() => "refused"), "refused");
  match(await kiln(["inspect", `${host}/multi:1`]), /Images: +2\n[^]*linux\/s390x|Images: +2\n[^]*linux\/riscv64/);

  equal(await kiln(["copy", `${host}/multi:1`, `oci-layout://${folder.path}/all:1`]), digest);
  equal(await kiln(["copy", `oci-layout://${folder.path}/all:1`, `${host}/back:1`]), digest);
  equal(await kiln(["copy", "--platform=linux/riscv64", `${host}/back:1`, `${host}/one:1`]), armDigest);
  const refused = await tryKiln(["copy", `${host}/multi:1`, `docker-archive://${folder.path}/a.tar`]);
  equal(refused.code, 7);
  match(refused.stderr, /an archive holds one image, and this is an index\nHint: Choose one with --platform/);
});

Deno.test("login keeps a login that push uses, and the refusal says what was tried", async () => {
  await using registry = await startRegistry({ login: LOGIN });
  await using folder = await makeTempDir();
  const env = { DOCKER_CONFIG: `${folder.path}/docker`, HOME: folder.path };
  const push = ["push", await busyboxLayout(), "-d", `${registry.host}/a:1`];
  const refused = await tryKiln(push, { env });
  equal(refused.code, 6);
  match(refused.stderr, /Hint: No credentials for 127\.0\.0\.1:\d+ were found/);

  await kiln(["login", registry.host, "-u", "bob", "--password-stdin"], { env, stdin: "wrong\n" });
  const wrong = await tryKiln(push, { env });
  equal(wrong.code, 6);
  match(wrong.stderr, /do not allow this; tried: .*\/docker\/config\.json for 127\.0\.0\.1/);
  notEqual(wrong.stderr.includes("wrong"), true);

  await kiln(["login", registry.host, "-u", LOGIN.user, "--password-stdin"], { env, stdin: `${LOGIN.password}\n` });
  const { mode } = await Deno.stat(`${folder.path}/docker/config.json`);
  equal((mode ?? 0) & 0o777, 0o600);
  deepEqual([...Deno.readDirSync(`${folder.path}/docker`)].map(({ name }) => name), ["config.json"]);
  match(await kiln(push, { env }), /^sha256:/);
});

/** The layout's image, said to be for another platform. */
async function armImage(folder: string, layout: string): Promise<string> {
  await mustRun([...SKOPEO, "copy", `oci:${layout}:latest`, `oci:${folder}/arm:latest`]);
  await mustRun(["umoci", "config", "--image", `${folder}/arm:latest`, "--architecture", "riscv64"]);
  return `${folder}/arm`;
}
