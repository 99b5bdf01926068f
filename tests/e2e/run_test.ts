/** What a RUN sees and leaves on a host: environment, user, stdin, descriptors, exit status, and its changes as a layer. */
import { deepEqual, equal, match } from "node:assert/strict";
import { type BuildWorld, type HostBuild, startBuildWorld } from "../support/build_world.ts";
import { leftovers, listFiles } from "../support/leftovers.ts";
import { describeFiles, inspectConfig, printedBySteps, unpackLayout } from "../support/read_image.ts";

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const EMPTY_TAR = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

interface Case extends HostBuild {
  readonly name: string;
  readonly code?: number;
  readonly printed: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: "exactly the image's variables, ARGs and HOME, and none of ours",
    dockerfile: 'FROM busybox\nARG A="a b"\nENV B=$A-b\nRUN ["env"]\nUSER www-data\nENV HOME=/set\nRUN ["env"]\n',
    env: { LEAK: "1", LD_PRELOAD: "", container: "oci" },
    printed: [PATH, "A=a b", "B=a b-b", "HOME=/root", PATH, "A=a b", "B=a b-b", "HOME=/set"],
  },
  {
    name: "user, group, supplementary groups and HOME by the image's accounts",
    dockerfile: `FROM busybox
USER www-data
RUN id; echo $HOME
USER www-data:tty
RUN id
USER 4321
RUN id; echo $HOME
USER 33:44
RUN id -u; id -g; id -G
`,
    printed: [
      "uid=33(www-data) gid=33(www-data) groups=33(www-data),100(users)",
      "/var/www",
      "uid=33(www-data) gid=5(tty) groups=5(tty)",
      "uid=4321 gid=0(root) groups=0(root)",
      "/",
      "33",
      "44",
      "44",
    ],
  },
  {
    name: "empty stdin, no descriptors of ours, usual umask, working directory",
    dockerfile: "FROM busybox\nWORKDIR /w\nRUN wc -c; pwd; umask; ls /proc/self/fd | tr '\\n' ' '; echo\n",
    printed: ["0", "/w", "0022", "0 1 2 3 "],
  },
  {
    name: "output of both streams, without a newline at its end, and bytes that are not text",
    dockerfile:
      'FROM busybox\nRUN echo out; echo err >&2; printf "\\377\\n"\nRUN printf "no newline"\nRUN echo; echo next\n',
    printed: ["out", "err", "\ufffd", "no newline", "", "next"],
  },
  {
    name: "exec form has no shell",
    dockerfile: 'FROM busybox\nENV X=x\nRUN ["echo", "$X", "a  b", "\\u00e9"]\n',
    printed: ["$X a  b é"],
  },
  { name: "its exit status becomes ours", dockerfile: "FROM busybox\nRUN exit 42\n", code: 42, printed: [] },
  { name: "a missing program is 127", dockerfile: 'FROM busybox\nRUN ["/no/such"]\n', code: 127, printed: [] },
  {
    name: "a file that is no program is 126",
    dockerfile: 'FROM busybox\nRUN ["/etc/passwd"]\n',
    code: 126,
    printed: [],
  },
  {
    name: "background processes end with their step",
    dockerfile: "FROM busybox\nRUN setsid sleep 98765 & sleep 98765 & echo started\nRUN ps | grep -c [9]8765 || true\n",
    printed: ["started", "0"],
  },
  {
    name: "name resolution and loopback work",
    dockerfile: "FROM busybox\nRUN ping -c 1 -W 2 localhost >/dev/null 2>&1 && echo up; grep -c localhost /etc/hosts\n",
    printed: ["up", "2"],
  },
  {
    name: "devices work for every user",
    dockerfile:
      "FROM busybox\nUSER 1000\nRUN head -c 3 /dev/zero | wc -c; echo x > /dev/null; head -c 2 /dev/urandom | wc -c; echo to stderr > /dev/stderr\n",
    printed: ["3", "2", "to stderr"],
  },
];

Deno.test("RUN on a host", async (t) => {
  await using world = await startBuildWorld();
  for (const testCase of CASES) await t.step(testCase.name, () => check(testCase, world));
  await t.step("its changes are the layer, and nothing else is", () => checkLayer(world));
  await t.step("a step without changes has an empty layer", () => checkNoChange(world));
});

async function check({ name, code = 0, printed, ...build }: Case, world: BuildWorld): Promise<void> {
  const built = await world.build({ ...build, isSealed: true });
  equal(built.code, code, `${name}: ${built.stderr}`);
  const lines = printedBySteps(built.stderr);
  if (code === 0) deepEqual([...lines].sort(), [...printed].sort());
  else match(built.stderr, /^ERRO Cannot run ".*\n.*Dockerfile:2$/m);
  deepEqual(await leftovers(built.folder), []);
  deepEqual(await listFiles(built.work), []);
}

async function checkLayer(world: BuildWorld): Promise<void> {
  const built = await world.build({
    dockerfile: `FROM busybox
RUN mkdir /l && touch -d @100 /l/a && rm /etc/group && rm -r /var && ln /l/a /l/b && mkfifo /l/p && ln -s a /l/s
RUN chmod 600 /l/a && rm /l/s && touch /l/s && echo same > /tmp/x && rm /tmp/x
`,
  });
  equal(built.code, 0, built.stderr);
  await using image = await unpackLayout(built.layout);
  const found = await describeFiles(image.root, ["l"], "%y %m %n %P");
  deepEqual(found, ["d 755 2 ", "f 600 2 a", "f 600 2 b", "f 644 1 s", "p 644 1 p"]);
  deepEqual(await describeFiles(image.root, [".", "-maxdepth", "1", "-name", "var"], "%p"), [""]);
  const etc = await describeFiles(image.root, ["etc"], "%p");
  deepEqual(etc, ["etc", "etc/passwd"], "neither the deleted file nor the builder's own mount points");
}

async function checkNoChange(world: BuildWorld): Promise<void> {
  const built = await world.build({ dockerfile: "FROM busybox\nRUN true\nRUN touch -d @5 /x\n" });
  equal(built.code, 0, built.stderr);
  const { rootfs, history } = await inspectConfig(`oci:${built.layout}:latest`);
  deepEqual([rootfs.diff_ids.length, rootfs.diff_ids[1]], [3, EMPTY_TAR]);
  deepEqual(history.slice(1).map(({ empty_layer }) => empty_layer ?? false), [false, false]);
}
