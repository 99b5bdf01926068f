/**
 * RUN --mount, --network and scripts of heredocs: what a command sees and, above all, that nothing of it stays. Each case is
 * built twice: with mounts in a folder of this machine, and in a pod, where nothing can be mounted.
 */
import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { type BuildWorld, hubFlags, startBuildWorld, writeFiles } from "../support/build_world.ts";
import { imageBytes, layerPaths } from "../support/image_bytes.ts";
import { leftovers, listFiles } from "../support/leftovers.ts";
import { pathExists } from "../support/path_exists.ts";
import { type PodResult, runPod, startPod } from "../support/pod.ts";
import { printedBySteps } from "../support/read_image.ts";
import { mustRun } from "../support/run_command.ts";

const SECRET = "correct-horse-battery";

interface Case {
  readonly name: string;
  readonly dockerfile: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly code?: number;
  /** What the steps print. */
  readonly printed?: readonly string[];
  /** The paths in each new layer. */
  readonly layers?: readonly (readonly string[])[];
  readonly error?: RegExp;
}

interface Built {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly layout: string;
}

const CASES: readonly Case[] = [
  {
    name: "a script is executed by its own interpreter, for any user",
    dockerfile: `FROM busybox
USER 1234
RUN <<SCRIPT
#!/bin/cat
one $HOME
two
SCRIPT
USER 0
RUN <<'EOF2'
#!/bin/sh -e
echo "$0"; stat -c '%a %u:%g' $0; touch -d @1 /made
EOF2
RUN test ! -e /dev/pipes
`,
    printed: ["#!/bin/cat", "one $HOME", "two", "/dev/pipes/EOF2", "755 0:0"],
    layers: [[], ["made"], []],
  },
  {
    name: "a script whose interpreter is missing fails with its lines",
    dockerfile: "FROM busybox\nRUN <<A\n#!/bin/nothing\nA\n",
    code: 127,
    error: /\/dev\/pipes\/A: not found\nERRO [^]*Dockerfile:2/,
  },
  {
    name: "the context is read-only or a copy, without what is ignored, and leaves no folder",
    dockerfile: `FROM busybox
WORKDIR /src
RUN --mount=target=. find . | sort; cat a/f; stat -c %u:%g a/f
RUN --mount=source=a/f,target=/one,rw cat /one && echo changed > /one
RUN --mount=source=a,target=/deep/er/still ls /deep/er/still
RUN test ! -e /deep && test ! -e /one && ls -A
`,
    files: { "a/f": "in f\n", "hidden": "x", ".dockerignore": "hidden\n" },
    printed: [".", "./.dockerignore", "./Dockerfile", "./a", "./a/f", "in f", "0:0", "in f", "f"],
    layers: [["src"], [], [], [], []],
  },
  {
    name: "stages and images can be mounted, wherever the link at the target leads",
    dockerfile: `FROM busybox AS tools
RUN mkdir /t && echo from tools > /t/x && chown 5:6 /t/x
FROM busybox
RUN mkdir /real && ln -s /real /link
RUN --mount=from=tools,source=/t,target=/link/sub cat /link/sub/x && stat -c %u:%g /real/sub/x
RUN --mount=from=0,source=t/x,target=/y --mount=from=busybox,source=/etc,target=/e cat /y && test -f /e/passwd
RUN --mount=from=tools,target=/all,rw rm -r /all/t && echo gone
`,
    printed: ["from tools", "5:6", "from tools", "gone"],
    layers: [["link", "real"], [], [], []],
  },
  {
    name: "what was at a target comes back as it was",
    dockerfile: `FROM busybox
RUN mkdir /d && echo old > /d/f && ln /d/f /h && chmod 700 /d && touch -d @5 /d/f /d && touch -d @6 /
RUN --mount=type=tmpfs,target=/d --mount=type=secret,id=s,target=/h ls /d; echo x > /d/n; wc -c < /h
RUN stat -c '%a %Y %h' /d /d/f; cat /h
`,
    files: { s: SECRET },
    args: ["--secret=id=s,src=CONTEXT/s"],
    printed: [String(SECRET.length), "700 5 2", "644 5 2", "old"],
    layers: [["d", "d/f", "h"], [], []],
  },
  {
    name: "secrets have their owner and mode, variables replace those of the image, optional ones may be missing",
    dockerfile: `FROM busybox
ENV TOKEN=of-the-image
RUN --mount=type=secret,id=file --mount=type=secret,id=token,env=TOKEN,uid=7,gid=8,mode=440,target=/t \\
    stat -c '%a %u:%g' /run/secrets/file /t; test "$TOKEN" = "$(cat /t)" && cmp /t /run/secrets/file && wc -c < /t
RUN --mount=type=secret,id=token,env=ONLY --mount=type=secret,id=none,env=NONE test ! -e /run/secrets && echo "$TOKEN [$NONE] \${#ONLY}"
RUN --mount=type=secret,id=token,uid=3 --mount=type=ssh set -e; test ! -e /run/buildkit; rm -f /run/secrets/token 2>/dev/null || true
`,
    files: { file: SECRET },
    args: ["--secret=id=file,src=CONTEXT/file", "--secret=id=token"],
    env: { token: SECRET },
    printed: ["400 0:0", "440 7:8", String(SECRET.length), `of-the-image [] ${SECRET.length}`],
    layers: [[], [], []],
  },
  {
    name: "a required secret that is missing fails with the line and what to do",
    dockerfile: "FROM busybox\nRUN --mount=type=secret,id=none,required true\n",
    code: 4,
    error: /Cannot mount secret "none": not found[^]*Dockerfile:2[^]*--secret id=none,src=FILE/,
  },
  {
    name: "caches last from step to step, are told apart by id, and begin with what they come from",
    dockerfile: `FROM busybox AS seed
RUN mkdir /s && echo seed > /s/f
FROM busybox
RUN --mount=type=cache,target=/c,uid=3,mode=0710 stat -c '%a %u' /c; echo 1 > /c/n; mkdir /c/sub; touch /c/sub/g
RUN --mount=type=cache,target=/c,uid=3,mode=0710 --mount=type=cache,id=x,target=/x cat /c/n; ls /x
RUN --mount=type=cache,target=/other,id=/c,uid=3,mode=0710,ro,source=sub ls /other
RUN --mount=type=cache,target=/z,from=seed,source=/s,sharing=locked cat /z/f; echo more >> /z/f
RUN --mount=type=cache,target=/z,from=seed,source=/s,sharing=private cat /z/f; rm -rf /z/f
RUN --mount=type=cache,target=/z,from=seed,source=/s ls -A /z; test ! -e /c
`,
    printed: ["710 3", "1", "g", "seed", "seed", "more"],
    layers: [[], [], [], [], [], []],
  },
  {
    name: "mounts within mounts",
    dockerfile: `FROM busybox
WORKDIR /w
RUN --mount=target=/w --mount=type=cache,target=/w/deep/cache --mount=type=tmpfs,target=/w/deep/cache/t \\
    --mount=type=secret,id=s,target=/w/a/s cat a/s | wc -c; touch deep/cache/kept deep/cache/t/lost; cat f
RUN --mount=type=cache,target=/w/deep/cache find deep/cache -type f
RUN test -z "$(ls -A)"
`,
    files: { f: "context\n", s: SECRET },
    args: ["--secret=id=s,src=CONTEXT/s"],
    printed: [String(SECRET.length), "context", "deep/cache/kept"],
    layers: [["w"], [], [], []],
  },
  {
    name: "a command of a mount is found, in exec form too",
    dockerfile: `FROM busybox
ENV PATH=/tools:/bin
RUN --mount=from=busybox,source=/bin,target=/tools ["/tools/busybox", "echo", "direct"]
RUN --mount=from=busybox,source=/bin,target=/tools ["busybox", "echo", "by PATH"]
`,
    printed: ["direct", "by PATH"],
    layers: [[], []],
  },
  {
    name: "nothing of a command that fails is kept, nor shown",
    dockerfile: `FROM busybox
RUN --mount=type=secret,id=s,env=S --mount=type=secret,id=s --mount=type=cache,target=/c echo last > /c/f; exit 9
`,
    files: { s: SECRET },
    args: ["--secret=id=s,src=CONTEXT/s", "-v=debug"],
    code: 9,
    error: /exit code 9/,
  },
  {
    name: "a target of another kind is refused with the line",
    dockerfile: "FROM busybox\nRUN --mount=type=tmpfs,target=/etc/passwd true\n",
    code: 3,
    error: /Cannot mount a folder at "\/etc\/passwd": a file is there[^]*Dockerfile:2/,
  },
  {
    name: "a source that is not there fails with the line",
    dockerfile: "FROM busybox\nRUN --mount=source=nowhere,target=/x true\n",
    code: 4,
    error: /Cannot mount "\/nowhere": not found[^]*Dockerfile:2/,
  },
];

Deno.test("RUN --mount", async (t) => {
  await using world = await startBuildWorld();
  for (const testCase of CASES) {
    await t.step(`on a host: ${testCase.name}`, async () => check(testCase, await onHost(world, testCase)));
    await t.step(`in a pod: ${testCase.name}`, async () => check(testCase, await inPod(world, testCase)));
  }
  await t.step(
    "on a host: nothing may be written to a read-only mount, and tmpfs has its size",
    () => checkLimits(world),
  );
  await t.step("on a host: caches last from build to build", () => checkBuilds(world));
  await t.step("on a host: --network=none leaves loopback alone", () => checkOffline(world));
  await t.step("in a pod: --network=none needs a right that it does not have", () => checkOfflinePod(world));
  await t.step("in a pod: what belongs to the container cannot be a target", () => checkProtected(world));
  await t.step("in a pod: a secret may be in a mount of the container", () => checkMountedFolder(world));
  await t.step(
    "the socket of an agent belongs to the step's user and goes with the step",
    () => checkAgentSocket(world),
  );
  await t.step("in a pod: SIGTERM in the middle of a RUN leaves neither secret nor target", () => checkSignal(world));
  await t.step("on a host: a build that is killed leaves its caches usable", () => checkKilled(world));
});

async function check(testCase: Case, built: Built): Promise<void> {
  const { code = 0, printed, layers, error } = testCase;
  equal(built.code, code, built.stderr);
  if (error !== undefined) match(built.stderr, error);
  if (printed !== undefined) deepEqual(printedBySteps(built.stderr), printed);
  doesNotMatch(built.stderr + built.stdout, new RegExp(SECRET));
  if (code !== 0) return;
  const bytes = await imageBytes(built.layout);
  equal(bytes.includes(SECRET), false, "the secret is in the image");
  if (layers !== undefined) deepEqual(await layerPaths(built.layout, 1), layers);
}

async function onHost(world: BuildWorld, { dockerfile, files = {}, args = [], env = {} }: Case): Promise<Built> {
  const secrets = await secretFolder(world, files);
  const built = await world.build({ dockerfile, files, env, args: args.map((arg) => arg.replace("CONTEXT", secrets)) });
  deepEqual(await leftovers(built.folder), []);
  return built;
}

async function inPod(world: BuildWorld, { dockerfile, files = {}, args = [], env = {} }: Case): Promise<Built> {
  const workspace = await Deno.makeTempDir({ dir: world.folder });
  await writeFiles(workspace, { Dockerfile: dockerfile, ...files });
  const name = `${world.registry.host}/mounts-${crypto.randomUUID()}:1`;
  const secrets = await secretFolder(world, files);
  const ended = await runPod({
    image: world.podImage,
    workspace,
    mounts: [{ source: secrets, destination: "/secret-files" }],
    args: [
      ...hubFlags(world.registry),
      "--log-format=text",
      `--destination=${name}`,
      ...args.map((arg) => arg.replace("CONTEXT", "/secret-files")),
    ],
    env: { container: "oci", ...env },
  });
  const layout = `${workspace}-image`;
  if (ended.code === 0) {
    await mustRun(["skopeo", "copy", "-q", "--src-tls-verify=false", `docker://${name}`, `oci:${layout}:latest`]);
  }
  return { ...ended, layout };
}

/** The files of a case once more, where no context is: secrets come from there. */
async function secretFolder(world: BuildWorld, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await Deno.makeTempDir({ dir: world.folder });
  await writeFiles(folder, files);
  return folder;
}

async function checkLimits(world: BuildWorld): Promise<void> {
  const built = await world.build({
    dockerfile: `FROM busybox
RUN --mount=target=/c touch /c/x 2>&1 | grep -o Read-only
RUN --mount=type=secret,id=s sh -c ': > /run/secrets/s' 2>&1 | grep -o Read-only
RUN --mount=type=cache,target=/c,ro touch /c/x 2>&1 | grep -o Read-only
RUN --mount=type=tmpfs,target=/t,size=1m dd if=/dev/zero of=/t/x bs=1M count=2 2>&1 | grep -o 'No space left'
RUN --mount=type=secret,id=s,mode=0444 /run/secrets/s 2>&1 | grep -o denied
`,
    args: ["--secret=id=s,env=S"],
    env: { S: SECRET },
  });
  equal(built.code, 0, built.stderr);
  deepEqual(printedBySteps(built.stderr), ["Read-only", "Read-only", "Read-only", "No space left", "denied"]);
}

async function checkBuilds(world: BuildWorld): Promise<void> {
  const workFolder = await Deno.makeTempDir({ dir: world.folder });
  const dockerfile = (command: string): string => `FROM busybox\nRUN --mount=type=cache,target=/c ${command}\n`;
  equal((await world.build({ dockerfile: dockerfile("echo first > /c/f"), workFolder })).code, 0);
  const second = await world.build({ dockerfile: dockerfile("cat /c/f"), workFolder });
  deepEqual(printedBySteps(second.stderr), ["first"]);
}

async function checkOffline(world: BuildWorld): Promise<void> {
  const built = await world.build({
    dockerfile: `FROM busybox
RUN --network=none ls /sys/class/net >/dev/null; cut -d: -f1 -s /proc/net/dev | tr -d ' ' | sort; ping -c 1 -W 2 127.0.0.1 | grep -c ttl
RUN --network=host cut -d: -f1 -s /proc/net/dev | wc -l | grep -qv '^0' && echo host
`,
  });
  equal(built.code, 0, built.stderr);
  deepEqual(printedBySteps(built.stderr), ["lo", "1", "host"]);
}

async function checkOfflinePod(world: BuildWorld): Promise<void> {
  const built = await inPod(world, { name: "", dockerfile: "FROM busybox\nRUN --network=none true\n" });
  equal(built.code, 8, built.stderr);
  match(built.stderr, /Cannot run without network: [^]*Dockerfile:2[^]*SYS_ADMIN/);
}

async function checkProtected(world: BuildWorld): Promise<void> {
  for (const target of ["/kaniko/x", "/workspace", "/proc", "/dev/shm", "/kaniko"]) {
    const built = await inPod(world, {
      name: "",
      dockerfile: `FROM busybox\nRUN --mount=type=tmpfs,target=${target} true\n`,
    });
    equal(built.code, 8, built.stderr);
    match(built.stderr, /Cannot mount at "\S+": a mount of this container[^]*Dockerfile:2/);
  }
}

/** CRI-O and podman mount something at /run/secrets. */
async function checkMountedFolder(world: BuildWorld): Promise<void> {
  const folder = await Deno.makeTempDir({ dir: world.folder });
  await Deno.writeTextFile(`${folder}/theirs`, "theirs");
  const workspace = await Deno.makeTempDir({ dir: world.folder });
  const pod = async (target: string): Promise<PodResult> => {
    const dockerfile = `FROM busybox\nRUN --mount=type=secret,id=s${target} wc -c < /run/secrets/s; ls /run/secrets\n`;
    await writeFiles(workspace, { Dockerfile: dockerfile });
    return await runPod({
      image: world.podImage,
      workspace,
      mounts: [{ source: folder, destination: "/run/secrets", isWritable: true }],
      args: [...hubFlags(world.registry), "--log-format=text", "--no-push", "--secret=id=s,env=S"],
      env: { container: "oci", S: SECRET },
    });
  };
  const ended = await pod("");
  equal(ended.code, 0, ended.stderr);
  deepEqual(printedBySteps(ended.stderr), [String(SECRET.length), "s", "theirs"]);
  deepEqual(await listFiles(folder), ["theirs"]);
  equal((await pod(",target=/run/secrets/theirs")).code, 8);
  equal(await Deno.readTextFile(`${folder}/theirs`), "theirs");
}

async function checkAgentSocket(world: BuildWorld): Promise<void> {
  const folder = await Deno.makeTempDir();
  using _agent = Deno.listen({ transport: "unix", path: `${folder}/agent` });
  const dockerfile = `FROM busybox
USER 1000
RUN --mount=type=ssh,uid=1000,required test -S $SSH_AUTH_SOCK && stat -c '%u %a %n' $SSH_AUTH_SOCK
RUN test ! -e /run/buildkit && echo "[$SSH_AUTH_SOCK]"
`;
  const printed = ["1000 600 /run/buildkit/ssh_agent.0", "[]"];
  const onHost = await world.build({ dockerfile, args: [`--ssh=default=${folder}/agent`] });
  deepEqual(printedBySteps(onHost.stderr), printed, onHost.stderr);
  const workspace = await Deno.makeTempDir({ dir: world.folder });
  await writeFiles(workspace, { Dockerfile: dockerfile });
  const inPod = await runPod({
    image: world.podImage,
    workspace,
    mounts: [{ source: folder, destination: "/agent" }],
    args: [...hubFlags(world.registry), "--log-format=text", "--no-push", "--ssh=default"],
    env: { container: "oci", SSH_AUTH_SOCK: "/agent/agent" },
  });
  deepEqual(printedBySteps(inPod.stderr), printed, inPod.stderr);
  await Deno.remove(folder, { recursive: true });
}

async function checkSignal(world: BuildWorld): Promise<void> {
  const workspace = await Deno.makeTempDir({ dir: world.folder });
  const dockerfile = `FROM busybox
RUN echo old > /t
RUN --mount=type=secret,id=s,target=/deep/s --mount=type=secret,id=s,target=/t --mount=type=cache,target=/c \\
    echo kept > /c/f; touch /started; sleep 1000
`;
  await writeFiles(workspace, { Dockerfile: dockerfile });
  await using pod = await startPod({
    image: world.podImage,
    workspace,
    args: [...hubFlags(world.registry), "--log-format=text", "--no-push", "--secret=id=s,env=S"],
    env: { container: "oci", S: SECRET },
  });
  while (!await pathExists(`${pod.rootPath}/started`)) await new Promise((resolve) => setTimeout(resolve, 50));
  equal(await Deno.readTextFile(`${pod.rootPath}/deep/s`), SECRET);
  await pod.kill("SIGTERM");
  equal((await pod.result).code, 143);
  for (const path of ["/deep", "/c"]) equal(await pathExists(`${pod.rootPath}${path}`), false, path);
  equal(await Deno.readTextFile(`${pod.rootPath}/t`), "old\n");
  const [cache = ""] = (await mustRun(["find", `${pod.rootPath}/kaniko/caches`, "-name", "f"])).trim().split("\n");
  equal(await Deno.readTextFile(cache), "kept\n");
}

async function checkKilled(world: BuildWorld): Promise<void> {
  const workFolder = await Deno.makeTempDir({ dir: world.folder });
  const mount = "--mount=type=cache,target=/c,sharing=locked";
  await using started = await world.start({
    dockerfile: `FROM busybox\nRUN ${mount} echo kept > /c/f; echo star''ted; exec sleep 1000\n`,
    workFolder,
  });
  await started.waitFor("started");
  started.kill("SIGKILL");
  await started.result;
  const next = await world.build({ dockerfile: `FROM busybox\nRUN ${mount} cat /c/f\n`, workFolder });
  deepEqual(printedBySteps(next.stderr), ["kept"]);
  ok(next.code === 0);
}
