/** Each instruction that only describes the image, and the scopes of variables, as skopeo reads the result. */
import { deepEqual, equal, fail, ok } from "node:assert/strict";
import { type BuildWorld, type HostBuild, startBuildWorld } from "../support/build_world.ts";
import { inspectConfig, type InspectedConfig, printedBySteps } from "../support/read_image.ts";
import { mustRun } from "../support/run_command.ts";

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A build, and what the config of the image or the steps' output is. */
interface Case extends HostBuild {
  readonly name: string;
  /** Members of the image config's `config`; one that must not be there is undefined. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly image?: Partial<InspectedConfig>;
  readonly printed?: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: "metadata instructions; a variable changes with the next instruction",
    dockerfile: `FROM busybox
MAINTAINER Ada <ada@example.com>
ENV A=1 B="two words" C=$A
ENV OLD legacy form
LABEL one=1 "two"="2 2"
EXPOSE 80 53/udp
EXPOSE 9000-9001
VOLUME /data /more
VOLUME ["/logs"]
USER 33:100
WORKDIR /srv
WORKDIR app
STOPSIGNAL SIGUSR1
HEALTHCHECK --interval=5s --timeout=2s --retries=4 CMD wget -q -O- localhost
SHELL ["/bin/sh", "-ec"]
ENTRYPOINT ["/bin/app", "-x"]
CMD ["a b", "c"]
ONBUILD COPY . /src
`,
    args: ["--label=built.by=kiln"],
    image: { author: "Ada <ada@example.com>", os: "linux" },
    config: {
      Env: [PATH, "A=1", "B=two words", "C=", "OLD=legacy form"],
      Labels: { one: "1", two: "2 2", "built.by": "kiln" },
      ExposedPorts: { "80/tcp": {}, "53/udp": {}, "9000/tcp": {}, "9001/tcp": {} },
      Volumes: { "/data": {}, "/more": {}, "/logs": {} },
      User: "33:100",
      WorkingDir: "/srv/app",
      StopSignal: "SIGUSR1",
      Entrypoint: ["/bin/app", "-x"],
      Cmd: ["a b", "c"],
    },
  },
  {
    name: "the last CMD and ENTRYPOINT, shell form; ENTRYPOINT drops the base's CMD",
    dockerfile: 'FROM busybox\nENTRYPOINT ["first"]\nENTRYPOINT exec top -b\n',
    config: { Entrypoint: ["/bin/sh", "-c", "exec top -b"], Cmd: undefined },
  },
  {
    name: "SHELL changes the shell of RUN, CMD and ENTRYPOINT",
    dockerfile: `FROM busybox
SHELL ["/bin/busybox", "sh", "-c"]
RUN tr '\\0' '|' < /proc/self/cmdline; echo
CMD hello
`,
    printed: ["/bin/busybox|sh|-c|tr '\\0' '|' < /proc/self/cmdline; echo|"],
    config: { Cmd: ["/bin/busybox", "sh", "-c", "hello"] },
  },
  {
    name: "scratch without steps",
    dockerfile: "FROM scratch\nLABEL empty=yes\n",
    args: ["--custom-platform=linux/arm64/v8"],
    image: { os: "linux", architecture: "arm64", rootfs: { diff_ids: [] } as unknown as InspectedConfig["rootfs"] },
    config: { Env: [PATH], WorkingDir: "/", Labels: { empty: "yes" } },
  },
  {
    name: "ARG scopes: global, per stage, --build-arg, predefined, platform",
    dockerfile: `ARG TAG=latest
ARG GLOBAL=global
FROM busybox:$TAG
RUN echo "undeclared: $GLOBAL$TAG$LATER"
ARG GLOBAL
ARG OWN=own
ARG GIVEN=default
ARG EMPTY
ARG TARGETARCH
ARG TARGETOS
ENV OWN=env
RUN echo "$GLOBAL $OWN $GIVEN [$EMPTY] $TARGETOS/$TARGETARCH"
RUN echo "proxy: $HTTP_PROXY"
ARG LATER=\${GIVEN:+later}
RUN echo "$LATER"
FROM busybox
RUN echo "next stage: $GLOBAL$OWN$GIVEN"
COPY --from=0 /etc/group /g
`,
    args: ["--build-arg=GIVEN=given", "--build-arg=EMPTY", "--build-arg=HTTP_PROXY=http://proxy:1"],
    printed: [
      "undeclared: ",
      `global env given [] linux/${Deno.build.arch === "aarch64" ? "arm64" : "amd64"}`,
      "proxy: http://proxy:1",
      "later",
      "next stage: ",
    ],
    config: { Env: [PATH] },
  },
  {
    name: "variables expand in every instruction that has them",
    dockerfile: `FROM busybox
ARG WHERE=/srv/app
ENV PORT=8080
WORKDIR $WHERE
COPY \${NONE:-file}.txt $WHERE/copy-\${PORT}
LABEL port=$PORT literal='$PORT'
EXPOSE $PORT
VOLUME $WHERE/vol
USER \${PORT}
STOPSIGNAL SIG\${SIG:-TERM}
RUN ls
`,
    files: { "file.txt": "x" },
    printed: ["copy-8080"],
    config: {
      WorkingDir: "/srv/app",
      Labels: { port: "8080", literal: "$PORT" },
      ExposedPorts: { "8080/tcp": {} },
      Volumes: { "/srv/app/vol": {} },
      User: "8080",
      StopSignal: "SIGTERM",
    },
  },
  {
    name: "directives, comments and continuation lines",
    dockerfile: "# escape=`\n# a comment\nFROM busybox\nRUN echo one `\n  # inside\n\n  two `\n  three\n",
    printed: ["one two three"],
  },
];

Deno.test("instructions give the image config that the Dockerfile states", async (t) => {
  await using world = await startBuildWorld();
  for (const testCase of CASES) await t.step(testCase.name, () => check(testCase, world));
  await t.step("ONBUILD of a base runs in the build that uses it", () => checkOnbuild(world));
  await t.step("--dryrun prints the plan and builds nothing", () => checkDryRun(world));
});

async function check({ name, config, image, printed, ...build }: Case, world: BuildWorld): Promise<void> {
  const built = await world.build(build);
  equal(built.code, 0, `${name}: ${built.stderr}`);
  const inspected = await inspectConfig(`oci:${built.layout}:latest`);
  for (const [key, wanted] of Object.entries(config ?? {})) deepEqual(inspected.config[key], wanted, key);
  for (const [key, wanted] of Object.entries(image ?? {})) {
    deepEqual(
      new Map(Object.entries(inspected)).get(key) ?? fail(key),
      key === "rootfs" ? { type: "layers", ...wanted as object } : wanted,
    );
  }
  if (printed !== undefined) deepEqual(printedBySteps(built.stderr), printed);
}

async function checkOnbuild(world: BuildWorld): Promise<void> {
  const { registry } = world;
  const reference = `${registry.host}/onbuild/base:1`;
  const base = await world.build({
    dockerfile: `FROM busybox
ONBUILD ARG WHO=nobody
ONBUILD COPY *.txt /onbuild/
ONBUILD RUN echo "triggered for $WHO"
`,
    output: "by args",
    args: [`--destination=${reference}`],
  });
  equal(base.code, 0, base.stderr);
  deepEqual(printedBySteps(base.stderr), []);
  const child = await world.build({
    dockerfile: `FROM ${reference} AS first\nRUN echo own; ls /onbuild\nFROM first\nRUN echo inherited\n`,
    files: { "a.txt": "a", "b.md": "b" },
    args: ["--build-arg=WHO=you"],
  });
  equal(child.code, 0, child.stderr);
  deepEqual(printedBySteps(child.stderr), ["triggered for you", "own", "a.txt", "inherited"]);
  const { config } = await inspectConfig(`oci:${child.layout}:latest`);
  equal(config.OnBuild, undefined);
}

async function checkDryRun(world: BuildWorld): Promise<void> {
  const planned = await world.build({
    dockerfile: "FROM busybox\nRUN touch /never\n",
    output: "by args",
    args: ["--dryrun"],
  });
  equal(planned.code, 0, planned.stderr);
  ok(planned.stdout.includes("touch /never"), planned.stdout);
  equal(await mustRun(["ls", planned.folder]), "context\n");
}
