/** The layer cache: the same image with and without it, on a host, from a registry and in a pod; and caches that fail. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { type BuildWorld, type HostBuild, hubFlags, startBuildWorld, writeFiles } from "../support/build_world.ts";
import { runPod } from "../support/pod.ts";
import { printedBySteps } from "../support/read_image.ts";
import { mustRun, say } from "../support/run_command.ts";

const DOCKERFILE = `FROM busybox AS tools
ARG LEVEL=1
RUN echo "tools $LEVEL" && mkdir -p /tools/bin && echo "$LEVEL" > /tools/bin/level && ln -s level /tools/bin/link
FROM busybox AS base
WORKDIR /srv/app
COPY conf/ conf/
FROM base AS other
RUN echo "other" && cat conf/a > /other
FROM base
ENV MODE=fast
LABEL version=1
COPY --from=tools /tools /usr/local/
ADD --chown=7:8 --chmod=640 main.txt data* ./
RUN echo "joined" && cat main.txt data1 /usr/local/bin/level > joined && rm data2 && chown 5:6 /srv
COPY <<END /made/here
text
END
COPY --from=other /other /kept/
USER 1000
RUN echo "last $MODE" && echo "$MODE" > /tmp/mode && adduser 2>/dev/null || true
CMD ["cat", "joined"]
`;
const FILES = {
  "conf/a": "a",
  "conf/deep/b": "b",
  "main.txt": "main",
  data1: "one",
  data2: "two",
  ".dockerignore": "x\n",
};
const KILL_ROUNDS = 8;
const ALL_STEPS = ["tools 1", "other", "joined", "last fast"];

/** An edit of one line, and the commands that have to run then. */
interface Edit {
  readonly name: string;
  readonly dockerfile?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly runs: readonly string[];
}

const EDITS: readonly Edit[] = [
  { name: "nothing", runs: [] },
  { name: "a label", dockerfile: DOCKERFILE.replace("version=1", "version=2"), runs: [] },
  { name: "a comment and a blank line", dockerfile: DOCKERFILE.replace("USER", "# who\n\nUSER"), runs: [] },
  { name: "CMD", dockerfile: DOCKERFILE.replace('"cat", "joined"', '"true"'), runs: [] },
  { name: "a proxy", args: ["--build-arg=HTTP_PROXY=http://proxy.invalid"], runs: [] },
  { name: "an ignored file", files: { x: "new" }, runs: [] },
  { name: "a variable", dockerfile: DOCKERFILE.replace("MODE=fast", "MODE=slow"), runs: ["joined", "last slow"] },
  { name: "a build-arg", args: ["--build-arg=LEVEL=2"], runs: ["tools 2", "joined", "last fast"] },
  { name: "a stage whose files stay the same", dockerfile: DOCKERFILE.replace('"tools', '"TOOLS'), runs: ["TOOLS 1"] },
  { name: "a file of the context", files: { "main.txt": "other" }, runs: ["joined", "last fast"] },
  { name: "a file of the common base", files: { "conf/a": "A" }, runs: ["other", "joined", "last fast"] },
  { name: "a heredoc", dockerfile: DOCKERFILE.replace("\ntext\n", "\nTEXT\n"), runs: ["last fast"] },
  { name: "a user", dockerfile: DOCKERFILE.replace("USER 1000", "USER 1001"), runs: ["last fast"] },
  { name: "a mode", dockerfile: DOCKERFILE.replace("640", "600"), runs: ["joined", "last fast"] },
];

Deno.test("the layer cache", async (t) => {
  await using world = await startBuildWorld();
  await t.step("gives the image that is built without it, after each edit of one line", () => checkEdits(world));
  await t.step("gives a whole image without a layer being read or a file unpacked", () => checkFullHit(world));
  await t.step("does not mind another checkout's times and owners", () => checkCheckout(world));
  await t.step("works with kaniko's default of caching RUN alone", () => checkRunsAlone(world));
  await t.step("is read from further places, and left as it is when it may not be written", () => checkSources(world));
  await t.step("that is damaged is a warning, and the image is right", () => checkDamaged(world));
  await t.step("that cannot be reached is a warning", () => checkUnreachable(world));
  await t.step("keeps the layers of a build that fails later", () => checkFailing(world));
  await t.step("is never half written, however builds end that share it", () => checkKilled(world));
  await t.step("gives a pod and a host the same image", () => checkPod(world));
});

Deno.test("the layer cache sees files of a URL change, another platform, and files that change places", async () => {
  await using world = await startBuildWorld();
  let text = "one";
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response(text));
  const cache = cacheIn(`${world.folder}/cache-holes`);
  const build = (dockerfile: string, files = {}): Promise<Outcome> => buildWith(world, cache, { dockerfile, files });
  const url = `FROM busybox\nADD http://127.0.0.1:${server.addr.port}/f /f\nRUN cat /f && echo\n`;
  deepEqual([(await build(url)).ran, (await build(url)).ran], [["one"], []]);
  text = "two";
  deepEqual([(await build(url)).ran, (await build(url)).ran], [["two"], []]);
  const swapped = "FROM busybox\nCOPY p* q r /x/\nRUN cat /x/* && echo\n";
  const orders = ["abcd", "bacd", "abdc"].map(([p1 = "", p2 = "", q = "", r = ""]) => ({ p1, p2, q, r }));
  for (const files of orders) deepEqual((await build(swapped, files)).ran, [Object.values(files).join("")]);
  for (const files of orders) deepEqual((await build(swapped, files)).ran, []);
  const scratch = { dockerfile: "FROM scratch\nCOPY q /q\n", files: { q: "q" } };
  const here = await buildWith(world, cache, scratch);
  const there = await buildWith(world, [...cache, "--custom-platform=linux/s390x"], scratch);
  deepEqual([/Cached/.test(here.stderr), /Cached/.test(there.stderr)], [false, false]);
});

interface Outcome {
  readonly digest: string;
  readonly ran: readonly string[];
  readonly stderr: string;
}

async function buildWith(world: BuildWorld, args: readonly string[], build: HostBuild = {}): Promise<Outcome> {
  const built = await world.build({
    dockerfile: DOCKERFILE,
    ...build,
    files: { ...FILES, ...build.files },
    args: ["--reproducible", ...args, ...build.args ?? []],
  });
  equal(built.code, 0, built.stderr);
  return { digest: built.stdout.trim(), ran: [...printedBySteps(built.stderr)].sort(), stderr: built.stderr };
}

const cacheIn = (folder: string): readonly string[] => ["--cache", "--cache-copy-layers", `--cache-repo=oci:${folder}`];

async function checkEdits(world: BuildWorld): Promise<void> {
  const pristine = `${world.folder}/cache-edits`;
  const cold = await buildWith(world, cacheIn(pristine));
  deepEqual(cold.ran, [...ALL_STEPS].sort());
  equal(cold.digest, (await buildWith(world, [])).digest);
  for (const { name, runs, ...edit } of EDITS) {
    const folder = await Deno.makeTempDir({ dir: world.folder });
    await mustRun(["cp", "-a", `${pristine}/.`, folder]);
    const warm = await buildWith(world, cacheIn(folder), edit);
    deepEqual(warm.ran, [...runs].sort(), `${name}: ${warm.stderr}`);
    equal(warm.digest, (await buildWith(world, [], edit)).digest, name);
    const again = await buildWith(world, cacheIn(folder), edit);
    deepEqual([again.ran, again.digest], [[], warm.digest], name);
  }
}

async function checkFullHit(world: BuildWorld): Promise<void> {
  const { host } = world.registry;
  const push = ["--cache", "--cache-copy-layers", `--destination=${host}/hit/app:1`];
  const build = { output: "by args" } as const;
  const cold = await buildWith(world, push, build);
  const before = (await world.registry.readLog()).length;
  const warm = await buildWith(world, [...push, `--destination=${host}/hit/copy:1`], build);
  deepEqual([warm.ran, warm.digest], [[], cold.digest]);
  const requests = (await world.registry.readLog()).slice(before).match(/"(?:GET|HEAD|POST|PUT|PATCH) \/v2\/\S*/g) ??
    [];
  const downloads = requests.filter((line) => /GET .*\/blobs\//.test(line));
  const uploads = requests.filter((line) => /(?:PATCH|PUT) .*\/hit\/copy\/blobs/.test(line));
  say(`fully cached: ${requests.length} requests, ${downloads.length} blobs read, ${uploads.length} uploaded`);
  ok(requests.length > 0, "the registry's log says nothing of requests");
  ok(downloads.length <= 1, downloads.join("\n")); // the config of the base
  ok(uploads.length <= 1, uploads.join("\n")); // the config of the image
}

async function checkCheckout(world: BuildWorld): Promise<void> {
  const cache = cacheIn(`${world.folder}/cache-checkout`);
  const cold = await buildWith(world, cache);
  const prepare = async (context: string): Promise<void> => {
    await mustRun(["chown", "-R", "1234:1234", context]);
    await mustRun(["find", context, "-exec", "touch", "-d", "@1500000000", "{}", "+"]);
  };
  const warm = await buildWith(world, cache, { prepare });
  deepEqual([warm.ran, warm.digest], [[], cold.digest]);
}

async function checkRunsAlone(world: BuildWorld): Promise<void> {
  const cache = ["--cache", `--cache-repo=oci:${world.folder}/cache-runs`];
  const cold = await buildWith(world, cache);
  const warm = await buildWith(world, cache);
  deepEqual([warm.ran, warm.digest], [[], cold.digest]);
  const edited = await buildWith(world, cache, { files: { "main.txt": "other" } });
  deepEqual(edited.ran, ["joined", "last fast"]);
}

async function checkSources(world: BuildWorld): Promise<void> {
  const main = `${world.folder}/cache-main`;
  const cold = await buildWith(world, cacheIn(main));
  const branch = `${world.folder}/cache-branch`;
  const warm = await buildWith(world, [...cacheIn(branch), `--cache-from=oci:${main}`]);
  deepEqual([warm.ran, warm.digest], [[], cold.digest]);
  const readOnly = `${world.folder}/cache-read-only`;
  await buildWith(world, [...cacheIn(readOnly), "--no-push-cache"]);
  deepEqual((await buildWith(world, cacheIn(readOnly))).ran, [...ALL_STEPS].sort());
  deepEqual((await buildWith(world, [...cacheIn(main), "--cache-ttl=0s"])).ran, [...ALL_STEPS].sort());
}

async function checkDamaged(world: BuildWorld): Promise<void> {
  const folder = `${world.folder}/cache-damaged`;
  const cold = await buildWith(world, cacheIn(folder));
  const index = JSON.parse(await Deno.readTextFile(`${folder}/index.json`));
  for (const { digest } of index.manifests) {
    const blobs = `${folder}/blobs/sha256`;
    const { layers } = JSON.parse(await Deno.readTextFile(`${blobs}/${digest.slice(7)}`));
    const path = `${blobs}/${layers[0].digest.slice(7)}`;
    await Deno.writeFile(path, new Uint8Array((await Deno.stat(path)).size));
  }
  const warm = await buildWith(world, cacheIn(folder));
  equal(warm.digest, cold.digest);
  match(warm.stderr, /WARN A cached layer cannot be used: .*; building again without it/);
}

async function checkUnreachable(world: BuildWorld): Promise<void> {
  const plain = await buildWith(world, []);
  const built = await buildWith(world, ["--cache", "--cache-repo=registry.invalid/c", "--cache-copy-layers"]);
  equal(built.digest, plain.digest);
  match(built.stderr, /WARN Cannot read the cache registry\.invalid\/c: .*; going on without/);
}

async function checkFailing(world: BuildWorld): Promise<void> {
  const args = cacheIn(`${world.folder}/cache-failing`);
  const dockerfile = 'FROM busybox\nRUN echo "first" > /f && echo "first"\nRUN echo "second" && test -e /g\n';
  const failed = await world.build({ dockerfile, args });
  equal(failed.code, 1, failed.stderr);
  const fixed = await world.build({ dockerfile: dockerfile.replace("/g", "/f"), args });
  deepEqual([fixed.code, printedBySteps(fixed.stderr)], [0, ["second"]]);
}

/** Two builds at a time share one cache and are killed, each at another point. */
async function checkKilled(world: BuildWorld): Promise<void> {
  const args = ["--reproducible", ...cacheIn(`${world.folder}/cache-killed`)];
  const start = performance.now();
  const plain = await buildWith(world, []);
  const durationMs = performance.now() - start;
  for (let round = 1; round <= KILL_ROUNDS; round++) {
    const builds = [DOCKERFILE, DOCKERFILE.replace("MODE=fast", `MODE=${round}`)];
    await Promise.all(builds.map(async (dockerfile, index) => {
      await using started = await world.start({ dockerfile, files: FILES, args });
      const afterMs = durationMs * (round / KILL_ROUNDS + index / 10);
      const timer = setTimeout(() => started.kill("SIGKILL"), afterMs);
      await started.result;
      clearTimeout(timer);
    }));
  }
  const sound = await buildWith(world, cacheIn(`${world.folder}/cache-killed`));
  equal(sound.digest, plain.digest);
  equal(/WARN/.test(sound.stderr), false, sound.stderr);
  const again = await buildWith(world, cacheIn(`${world.folder}/cache-killed`));
  deepEqual([again.ran, again.digest], [[], plain.digest]);
}

async function checkPod(world: BuildWorld): Promise<void> {
  const cache = `${world.folder}/cache-pod`;
  const workspace = await Deno.makeTempDir({ dir: world.folder });
  await writeFiles(workspace, { ...FILES, Dockerfile: DOCKERFILE });
  await Deno.mkdir(cache);
  const args = ["--reproducible", "--cache", "--cache-copy-layers", "--cache-repo=oci:/cache", "--no-push"];
  const pod = async (): Promise<Outcome> => {
    const ended = await runPod({
      image: world.podImage,
      args: [...hubFlags(world.registry), "--log-format=text", ...args],
      workspace,
      mounts: [{ source: cache, destination: "/cache", isWritable: true }],
      env: { container: "oci" },
    });
    equal(ended.code, 0, ended.stderr);
    return { digest: ended.stdout.trim(), ran: [...printedBySteps(ended.stderr)].sort(), stderr: ended.stderr };
  };
  const cold = await pod();
  deepEqual(cold.ran, [...ALL_STEPS].sort());
  const warm = await pod();
  deepEqual([warm.ran, warm.digest], [[], cold.digest]);
  const onHost = await buildWith(world, cacheIn(cache));
  deepEqual([onHost.ran, onHost.digest], [[], cold.digest]);
  await writeFiles(workspace, { "main.txt": "other" });
  deepEqual((await pod()).ran, ["joined", "last fast"]);
}
