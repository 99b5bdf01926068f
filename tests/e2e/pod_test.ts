/** Builds in a pod, where the image's root filesystem takes the place of everything: what must survive that, and what must not. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { pushLayout } from "../support/base_image.ts";
import { type BuildWorld, hubFlags, startBuildWorld, writeFiles } from "../support/build_world.ts";
import { busyboxLayout, debianLayout } from "../support/debian_base.ts";
import { pathExists } from "../support/path_exists.ts";
import { type PodOptions, type PodResult, runPod, startPod } from "../support/pod.ts";
import { inspectConfig, printedBySteps, unpackLayout } from "../support/read_image.ts";
import { startRegistry } from "../support/registry_process.ts";
import { mustRun, say } from "../support/run_command.ts";

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const LOGIN = { user: "pod", password: "secret" };
const POLL_MS = 50;

Deno.test("builds in a pod", async (t) => {
  await using world = await startBuildWorld();
  await t.step("stages of different systems, with login, names, mounts and a digest file", () => checkStages(world));
  await t.step("a base with files where ours are", () => checkOverlap(world));
  await t.step("environment, user, stdin and processes of a RUN", () => checkRun(world));
  await t.step("the exit status of a RUN", () => checkStatus(world));
  await t.step("SIGTERM in the middle of a RUN", () => checkSignal(world));
});

interface PodBuild extends Partial<PodOptions> {
  readonly dockerfile: string;
  readonly context?: Readonly<Record<string, string>>;
  readonly args: readonly string[];
}

/** The options of a pod that builds `dockerfile`. */
async function podOptions(world: BuildWorld, { dockerfile, context, args, ...rest }: PodBuild): Promise<PodOptions> {
  const workspace = await Deno.makeTempDir({ dir: world.folder });
  await writeFiles(workspace, { Dockerfile: dockerfile, ...context });
  const flags = [...hubFlags(world.registry), "--log-format=text"];
  return {
    image: world.podImage,
    workspace,
    args: [...flags, ...args],
    ...rest,
    env: { container: "oci", ...rest.env },
  };
}

async function build(world: BuildWorld, options: PodBuild): Promise<PodResult> {
  return await runPod(await podOptions(world, options));
}

async function checkStages(world: BuildWorld): Promise<void> {
  await using registry = await startRegistry({ login: LOGIN });
  await pushLayout(await debianLayout(), registry, ["debian:1"], LOGIN);
  await pushLayout(await busyboxLayout(), registry, ["busybox:1"], LOGIN);
  const port = registry.host.split(":")[1];
  const host = `registry.test:${port}`;
  const folder = await Deno.makeTempDir({ dir: world.folder });
  await writeFiles(folder, {
    "hosts": "127.0.0.1\tlocalhost registry.test\n",
    "termination-log": "",
    "mounted/file": "m",
  });
  const ended = await build(world, {
    dockerfile: `FROM ${host}/debian:1 AS debian
RUN mkdir /out && ldd /bin/ls > /out/libraries && chown -R 7:8 /out && ls /workspace /kaniko > /out/seen
FROM ${host}/busybox:1 AS small
COPY --from=debian /out/ /from-debian/
COPY file /from-context
RUN test ! -e /usr/bin/dpkg && test ! -e /out && cat /mounted/file && touch -d @9 /small
FROM ${host}/debian:1
COPY --from=small /from-debian /small /kept/
COPY --from=debian /out/libraries /kept/again
COPY --from=${host}/busybox:1 /etc/group /kept/group
RUN dpkg --version | head -n 1 | cut -c 1-6; grep -c registry.test /etc/hosts; ls /kept | tr '\\n' ' '; echo
`,
    context: { file: "of the context" },
    files: { "/kaniko/.docker/config.json": JSON.stringify({ auths: { [host]: { auth: btoa("pod:secret") } } }) },
    mounts: [
      { source: `${folder}/hosts`, destination: "/etc/hosts" },
      { source: `${folder}/mounted`, destination: "/mounted" },
      { source: `${folder}/termination-log`, destination: "/dev/termination-log", isWritable: true },
    ],
    args: [`--destination=${host}/result:1`, "--insecure", "--insecure-pull", "--digest-file=/dev/termination-log"],
  });
  equal(ended.code, 0, ended.stderr);
  deepEqual(printedBySteps(ended.stderr), ["m", "Debian", "1", "again group libraries seen small "]);
  equal(await Deno.readTextFile(`${folder}/termination-log`), ended.stdout.trim());
  match(ended.stdout, /^sha256:[0-9a-f]{64}\n$/);
  say(`three stages in the pod: ${ended.durationMs} ms, peak ${Math.round((ended.peakRssBytes ?? 0) / 1e6)} MB`);
  await checkStagesImage(`docker://127.0.0.1:${port}/result:1`, folder);
}

async function checkStagesImage(image: string, folder: string): Promise<void> {
  const login = ["--src-tls-verify=false", `--src-creds=${LOGIN.user}:${LOGIN.password}`];
  await mustRun(["skopeo", "copy", "--quiet", "--insecure-policy", ...login, image, `oci:${folder}/result:latest`]);
  await using unpacked = await unpackLayout(`${folder}/result`);
  const { root } = unpacked;
  const { uid, gid } = await Deno.stat(`${root}/kept/libraries`);
  deepEqual([uid, gid, (await Deno.stat(`${root}/kept/small`)).mtime?.getTime()], [7, 8, 9000]);
  match(await Deno.readTextFile(`${root}/kept/again`), /libc\.so\.6/);
  for (const path of ["kaniko", "workspace", "mounted", "from-debian", ".kiln"]) {
    equal(await pathExists(`${root}/${path}`), false, `${path} is not the image's`);
  }
  ok(await pathExists(`${root}/usr/bin/dpkg`));
}

async function checkOverlap(world: BuildWorld): Promise<void> {
  const base = `${world.registry.host}/overlap:1`;
  const made = await world.build({
    dockerfile: `FROM busybox
RUN mkdir -p /kaniko/lib /workspace /lib64 && echo no > /kaniko/executor && echo no > /kaniko/lib/libc.so.6
RUN echo "FROM nowhere" > /workspace/Dockerfile && echo no > /etc/ld.so.preload && echo no > /lib64/libc.so.6
`,
    output: "by args",
    args: [`--destination=${base}`],
  });
  equal(made.code, 0, made.stderr);
  const image = `${world.registry.host}/overlap/result:1`;
  const ended = await build(world, {
    dockerfile: `FROM ${base} AS one
RUN echo "first"
FROM ${base}
COPY --from=one /etc/ld.so.preload /copied
COPY file /
RUN cat /file /copied
`,
    context: { file: "ours\n" },
    args: [`--destination=${image}`],
  });
  equal(ended.code, 0, ended.stderr);
  deepEqual(printedBySteps(ended.stderr), ["first", "ours", "no"]);
  equal((await inspectConfig(`docker://${image}`, ["--tls-verify=false"])).rootfs.diff_ids.length, 6);
}

async function checkRun(world: BuildWorld): Promise<void> {
  const ended = await build(world, {
    dockerfile: `FROM busybox
ARG A=a
ENV B=b
RUN ["env"]
USER www-data:users
WORKDIR /var/www
RUN id -u; id -g; id -G; pwd; echo $HOME; umask; wc -c
USER root
RUN setsid sleep 98765 & (sleep 98765 &) ; echo started
RUN ps | grep -c '[s]leep 98765' || true
RUN ping -c 1 -W 2 127.0.0.1 > /dev/null 2>&1 && echo up; head -c 3 /dev/urandom | wc -c
RUN <<EOF
#!/bin/cat
a script of its own
EOF
RUN test ! -e /dev/pipes/EOF
`,
    env: { LEAK: "1", DOCKER_CONFIG: "/elsewhere" },
    args: ["--no-push"],
  });
  equal(ended.code, 0, ended.stderr);
  deepEqual(
    [...printedBySteps(ended.stderr)].sort(),
    [
      ...[PATH, "A=a", "B=b", "HOME=/root"],
      ...["33", "100", "100", "/var/www", "/var/www", "0022", "0"],
      ...["started", "0", "up", "3"],
      ...["#!/bin/cat", "a script of its own"],
    ].sort(),
  );
}

async function checkStatus(world: BuildWorld): Promise<void> {
  for (const [command, code] of [["exit 42", 42], ["kill -9 $$", 137], ["/no/such/program", 127]] as const) {
    const ended = await build(world, { dockerfile: `FROM busybox\nRUN ${command}\n`, args: ["--no-push"] });
    equal(ended.code, code, ended.stderr);
    match(ended.stderr, /\/workspace\/Dockerfile:2$/m);
    equal(ended.stdout, "");
  }
}

async function checkSignal(world: BuildWorld): Promise<void> {
  const options = await podOptions(world, {
    dockerfile: "FROM busybox\nRUN touch /ready; sleep 98765\n",
    args: [`--destination=${world.registry.host}/pod/signal:1`],
  });
  await using pod = await startPod(options);
  const isOver: Promise<string | undefined> = pod.result.then(({ stderr }) => stderr);
  while (!await pathExists(`${pod.rootPath}/ready`)) {
    const stderr = await Promise.race([isOver, pause()]);
    if (stderr !== undefined) throw new Error(stderr);
  }
  await pod.kill("SIGTERM");
  const ended = await pod.result;
  equal(ended.code, 143, ended.stderr);
  match(ended.stderr, /SIGTERM/);
  const names = (await Array.fromAsync(Deno.readDir(`${pod.rootPath}/kaniko`))).map(({ name }) => name);
  deepEqual(names.filter((name) => name.startsWith("build-")), []);
}

function pause(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), POLL_MS));
}
