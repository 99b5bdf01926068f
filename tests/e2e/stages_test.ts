/** Several stages, and files of other stages and images. */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { type BuildWorld, startBuildWorld } from "../support/build_world.ts";
import { inspectConfig, printedBySteps, unpackLayout } from "../support/read_image.ts";

const MANY_STAGES = `FROM busybox AS base
RUN echo "base" && mkdir /files && echo base > /files/name && chown 7:8 /files/name
ENV FROM_BASE=1
FROM base AS one
RUN echo "one" && echo one > /files/one
FROM nowhere.invalid/never/pulled:1 AS broken
RUN exit 99
FROM base AS two
RUN echo "two; \$(ls /files)"
COPY --from=one /files/ /files/
COPY --from=0 --chown=9:9 /files/name /files/by-index
COPY --from=base /files/name /files/kept-owner
COPY --from=busybox:latest /etc/passwd /files/of-image
FROM broken AS last
`;

Deno.test("stages", async (t) => {
  await using world = await startBuildWorld();
  await t.step("--target builds what it needs and pulls nothing else", () => checkTarget(world));
  await t.step("a target by index, in any case, and the default", () => checkTargetForms(world));
  await t.step("a stage from scratch has nothing but what is copied", () => checkScratch(world));
  await t.step("a later stage starts from the files of its base alone", () => checkClean(world));
  await t.step("a base by digest, by tag and digest, and from an index", () => checkDigests(world));
});

async function checkTarget(world: BuildWorld): Promise<void> {
  const built = await world.build({ dockerfile: MANY_STAGES, args: ["--target=two"] });
  equal(built.code, 0, built.stderr);
  deepEqual(printedBySteps(built.stderr), ["base", "one", "two; name"]);
  await using image = await unpackLayout(built.layout);
  const files: Record<string, string> = {};
  for await (const { name } of Deno.readDir(`${image.root}/files`)) {
    const { uid, gid } = await Deno.stat(`${image.root}/files/${name}`);
    files[name] = `${uid}:${gid}`;
  }
  deepEqual(files, { name: "7:8", one: "0:0", "by-index": "9:9", "kept-owner": "7:8", "of-image": "0:0" });
  const { config } = await inspectConfig(`oci:${built.layout}:latest`);
  equal((config.Env as readonly string[]).includes("FROM_BASE=1"), true);
}

async function checkTargetForms(world: BuildWorld): Promise<void> {
  const byIndex = await world.build({ dockerfile: MANY_STAGES, args: ["--target=1"] });
  deepEqual([byIndex.code, printedBySteps(byIndex.stderr)], [0, ["base", "one"]]);
  const byCase = await world.build({ dockerfile: MANY_STAGES, args: ["--target=ONE"] });
  deepEqual([byCase.code, printedBySteps(byCase.stderr)], [0, ["base", "one"]]);
  const last = await world.build({ dockerfile: MANY_STAGES });
  equal(last.code, 5, last.stderr);
  match(last.stderr, /Cannot pull nowhere\.invalid\/never\/pulled:1/);
  deepEqual(printedBySteps(last.stderr).filter((line) => line === "base"), []);
}

async function checkScratch(world: BuildWorld): Promise<void> {
  const built = await world.build({
    dockerfile: `FROM busybox AS build
RUN mkdir -p /out/bin && cp /bin/busybox /out/bin/sh && chmod 4755 /out/bin/sh && touch -d @1000 /out/bin/sh
FROM scratch
COPY --from=build /out/ /
USER 1000
WORKDIR /home/me
RUN echo "runs: $PWD $HOME $PATH"
ENTRYPOINT ["/bin/sh"]
`,
  });
  equal(built.code, 0, built.stderr);
  const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  deepEqual(printedBySteps(built.stderr), [`runs: /home/me / ${path}`]);
  await using image = await unpackLayout(built.layout);
  const { mode, mtime } = await Deno.stat(`${image.root}/bin/sh`);
  deepEqual([(mode ?? 0) & 0o7777, mtime?.getTime()], [0o4755, 1_000_000]);
  const names = (await Array.fromAsync(Deno.readDir(image.root))).map(({ name }) => name).sort();
  deepEqual(names.filter((name) => !["proc", "sys", "dev", "etc"].includes(name)), ["bin", "home"]);
  deepEqual(
    names.filter((name) => ["proc", "sys", "dev", "etc"].includes(name)),
    [],
    "mount points stay out of the image",
  );
}

async function checkClean(world: BuildWorld): Promise<void> {
  const built = await world.build({
    dockerfile: `FROM busybox AS first
RUN rm -r /home && touch /stray && chmod 700 /var
FROM busybox AS second
RUN ls -d /home /stray; stat -c %a /var
COPY --from=first /stray /
`,
  });
  equal(built.code, 0, built.stderr);
  deepEqual([...printedBySteps(built.stderr)].sort(), ["/home", "755", "ls: /stray: No such file or directory"]);
}

async function checkDigests(world: BuildWorld): Promise<void> {
  const { registry } = world;
  const name = `${registry.host}/library/busybox`;
  const response = await fetch(`${registry.url}/v2/library/busybox/manifests/latest`, {
    method: "HEAD",
    headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
  });
  const digest = response.headers.get("docker-content-digest") ?? "";
  for (const reference of [`${name}@${digest}`, `${name}:wrong-tag@${digest}`, `busybox@${digest}`]) {
    const built = await world.build({ dockerfile: `FROM ${reference}\nRUN echo works\n` });
    deepEqual([built.code, printedBySteps(built.stderr)], [0, ["works"]], built.stderr);
  }
  const index = await putIndex(registry.url, digest);
  const built = await world.build({ dockerfile: `FROM ${name}@${index}\nRUN echo from the index\n` });
  deepEqual([built.code, printedBySteps(built.stderr)], [0, ["from the index"]], built.stderr);
  const other = await world.build({ dockerfile: `FROM --platform=linux/s390x ${name}@${index}\n` });
  notEqual(other.code, 0);
  match(other.stderr, /linux\/s390x/);
}

/** Puts an index with the image for this machine and a missing one for another, and tells its digest. */
async function putIndex(registry: string, digest: string): Promise<string> {
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const accept = { accept: mediaType };
  const size =
    (await (await fetch(`${registry}/v2/library/busybox/manifests/${digest}`, { headers: accept })).bytes()).length;
  const architecture = Deno.build.arch === "aarch64" ? "arm64" : "amd64";
  const entries = ["ppc64le", architecture].map((name) => ({
    mediaType,
    digest,
    size,
    platform: { os: "linux", architecture: name },
  }));
  const contentType = "application/vnd.oci.image.index.v1+json";
  const response = await fetch(`${registry}/v2/library/busybox/manifests/many`, {
    method: "PUT",
    headers: { "content-type": contentType },
    body: JSON.stringify({ schemaVersion: 2, mediaType: contentType, manifests: entries }),
  });
  equal(response.status, 201, await response.text());
  return response.headers.get("docker-content-digest") ?? "";
}
