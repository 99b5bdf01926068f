/** Registries that fail and images that are hostile: one clear error with what it is about, the right exit code, nothing left. */
import { deepEqual, equal, match } from "node:assert/strict";
import { rawPath } from "../../src/sys/raw_path.ts";
import type { TarHeader } from "../../src/tar/header.ts";
import { writeTar } from "../../src/tar/write.ts";
import { type BuildWorld, startBuildWorld } from "../support/build_world.ts";
import { assertCleanEnd } from "../support/clean_end.ts";
import { errorResponse, type FakeRegistryKnobs } from "../support/fake_registry.ts";
import { pathExists } from "../support/path_exists.ts";
import { unpackLayout } from "../support/read_image.ts";
import { sampleImage, storeImage } from "../support/sample_image.ts";
import { type ServedRegistry, serveRegistry } from "../support/served_registry.ts";
import { tarHeader } from "../support/tar_headers.ts";
import { readAll } from "../support/tar_members.ts";

interface Case {
  readonly name: string;
  readonly code: number;
  readonly says: RegExp;
  readonly knobs?: FakeRegistryKnobs;
  /** Members of the base's only layer. */
  readonly members?: readonly TarHeader[];
  /** Changes what is stored. */
  readonly spoil?: (served: ServedRegistry) => void;
}

const isBlob = (request: Request): boolean => request.url.includes("/blobs/");
const isManifest = (request: Request): boolean => request.url.includes("/manifests/");

/** Answers every request that `matches` with `status`, at once and without asking for patience. */
function always(status: number, matches: (request: Request) => boolean): FakeRegistryKnobs {
  const intercept = (request: Request): Response | undefined =>
    matches(request) ? errorResponse(status, "DENIED", "the registry's own words", { "retry-after": "0" }) : undefined;
  return { intercept };
}

const CASES: readonly Case[] = [
  {
    name: "401",
    knobs: always(401, isManifest),
    code: 6,
    says: /bad\/base:1.*\b401\b|unauthori[sz]ed|authentication/i,
  },
  { name: "403", knobs: always(403, isManifest), code: 6, says: /bad\/base:1.*the registry's own words/ },
  { name: "404", knobs: always(404, isManifest), code: 5, says: /bad\/base:1.*404/ },
  { name: "500 for the manifest", knobs: always(500, isManifest), code: 5, says: /bad\/base:1.*500/ },
  { name: "500 for a blob", knobs: always(500, isBlob), code: 5, says: /500/ },
  { name: "404 for a blob", knobs: always(404, isBlob), code: 5, says: /404/ },
  { name: "a wrong digest in the header", knobs: { wrongDigest: `sha256:${"0".repeat(64)}` }, code: 7, says: /digest/ },
  {
    name: "a blob with other bytes",
    spoil: ({ registry }) => {
      for (const [key, bytes] of registry.blobs) registry.blobs.set(key, bytes.map((byte) => byte ^ 1));
    },
    code: 7,
    says: /sha256:[0-9a-f]{64}.*sha256:[0-9a-f]{64}/,
  },
  {
    name: "a blob that is too short",
    spoil: ({ registry }) => {
      for (const [key, bytes] of registry.blobs) registry.blobs.set(key, bytes.slice(0, -1));
    },
    code: 7,
    says: /bytes/,
  },
  {
    name: "a manifest that is not one",
    knobs: { intercept: (request) => isManifest(request) ? new Response("<html>login</html>") : undefined },
    code: 7,
    says: /manifest/,
  },
  {
    name: "a redirect to itself",
    knobs: { intercept: (request) => new Response(null, { status: 307, headers: { location: request.url } }) },
    code: 5,
    says: /redirect/i,
  },
  {
    name: "a layer that is no tar",
    members: [],
    spoil: ({ registry }) => {
      const image = sampleImage([new TextEncoder().encode("this is not a tar archive ".repeat(100))]);
      storeImage(registry, "bad/base", "1", image);
    },
    code: 7,
    says: /layer/i,
  },
  {
    name: "a name with ..",
    members: [tarHeader("../../../../../../../../../../tmp/kiln-escape/evil")],
    code: 7,
    says: /kiln-escape\/evil/,
  },
  {
    name: "a hard link to a file outside",
    members: [tarHeader("evil", { type: "hardlink", linkPath: rawPath("../../../../../../../etc/shadow") })],
    code: 7,
    says: /evil/,
  },
  {
    name: "a hard link to a file that is not there",
    members: [tarHeader("evil", { type: "hardlink", linkPath: rawPath("/etc/passwd") })],
    code: 7,
    says: /evil.*etc\/passwd/,
  },
  {
    name: "a file below a loop of links",
    members: [
      tarHeader("a", { type: "symlink", linkPath: rawPath("b") }),
      tarHeader("b", { type: "symlink", linkPath: rawPath("a") }),
      tarHeader("a/file"),
    ],
    code: 7,
    says: /a\/file|"\/?a"/,
  },
];

Deno.test("registries that fail, and hostile images", async (t) => {
  await using world = await startBuildWorld();
  for (const testCase of CASES) await t.step(testCase.name, () => check(testCase, world));
  await t.step("links that lead out of the image lead to its own root", () => checkLinks(world));
  await t.step("a registry that is down", () => checkDown(world));
});

async function check({ name, code, says, knobs, members, spoil }: Case, world: BuildWorld): Promise<void> {
  await using served = serveRegistry(knobs);
  await storeBase(served, members ?? [tarHeader("etc", { type: "directory", mode: 0o755 })]);
  spoil?.(served);
  const built = await world.build({
    dockerfile: `FROM ${served.host}/bad/base:1\nCOPY Dockerfile /\n`,
    args: ["--insecure-pull", `--digest-file=${world.folder}/bad-digest`, `--tar-path=${world.folder}/bad.tar`],
    isSealed: true,
  });
  equal(built.code, code, `${name}: ${built.stderr}`);
  match(built.stderr, says);
  deepEqual([await pathExists("/tmp/kiln-escape"), await pathExists(`${world.folder}/bad-digest`)], [false, false]);
  await assertCleanEnd(built);
}

/** Stores an image whose layer has these members, without a compression. */
async function storeBase({ registry }: ServedRegistry, members: readonly TarHeader[]): Promise<void> {
  const tar = await readAll(writeTar(members.map((header) => ({ header, body: [] }))));
  storeImage(registry, "bad/base", "1", sampleImage([new Uint8Array(tar)]));
}

/** Absolute links and links with `..` are common in images: they are resolved inside the root, never outside. */
async function checkLinks(world: BuildWorld): Promise<void> {
  await using served = serveRegistry();
  const outside = `${world.folder}/outside`;
  await Deno.mkdir(outside);
  await storeBase(served, [
    tarHeader("absolute", { type: "symlink", linkPath: rawPath(outside) }),
    tarHeader("up", { type: "symlink", linkPath: rawPath(`../../../../../../../../..${outside}`) }),
    tarHeader("absolute/one"),
    tarHeader("up/two"),
  ]);
  const built = await world.build({
    dockerfile: `FROM ${served.host}/bad/base:1\nCOPY Dockerfile /absolute/three\nADD Dockerfile /up/four\n`,
    args: ["--insecure-pull"],
    isSealed: true,
  });
  deepEqual(await Array.fromAsync(Deno.readDir(outside)), []);
  equal(built.code, 0, built.stderr);
  await assertCleanEnd(built, { mayHaveLayout: true });
  await using image = await unpackLayout(built.layout);
  for (const name of ["one", "two", "three", "four"]) {
    equal(await pathExists(`${image.root}${outside}/${name}`), true, name);
  }
}

async function checkDown(world: BuildWorld): Promise<void> {
  const built = await world.build({
    dockerfile: "ARG X\nFROM 127.0.0.1:1/down/base:1\nRUN true\n",
    args: ["--insecure-pull"],
    isSealed: true,
  });
  equal(built.code, 5, built.stderr);
  match(built.stderr, /127\.0\.0\.1:1\/down\/base:1/);
  match(built.stderr, /Dockerfile:2$/m);
  await assertCleanEnd(built);
}
