/** COPY and ADD of local files: what lands where, with which type, mode and owner, as umoci unpacks the image. */
import { deepEqual, equal } from "node:assert/strict";
import { type BuildWorld, type HostBuild, startBuildWorld } from "../support/build_world.ts";
import { describeFiles, printedBySteps, unpackLayout } from "../support/read_image.ts";
import { mustRun } from "../support/run_command.ts";
import { makeTempDir } from "../support/temp_dir.ts";

/** Type, mode, owner, path and link target of everything below one folder of the image. */
const FORMAT = "%y %m %U:%G %p %l";

interface Case extends HostBuild {
  readonly name: string;
  /** Lines of {@link FORMAT} for all below /o, sorted by path. */
  readonly files: NonNullable<HostBuild["files"]>;
  readonly found: readonly string[];
  /** What the steps print. */
  readonly printed?: readonly string[];
  /** Contents by path. */
  readonly texts?: Readonly<Record<string, string>>;
}

const FOLDERS = "d 755 0:0 o";

const CASES: readonly Case[] = [
  {
    name: "files, folders, globs, several sources",
    dockerfile: `FROM busybox
COPY a.txt /o/renamed
COPY a.txt b.txt /o/both/
COPY folder /o/content
COPY f*/[s]*/ *.tx? /o/glob/
COPY ["with space.md", "/o/json form/"]
ADD a.txt folder/ /o/added/
`,
    files: { "a.txt": "a", "b.txt": "b", "folder/sub/deep": "d", "folder/top": "t", "with space.md": "s" },
    found: [
      "d 755 0:0 o",
      "d 755 0:0 o/added",
      "d 755 0:0 o/added/sub",
      "d 755 0:0 o/both",
      "d 755 0:0 o/content",
      "d 755 0:0 o/content/sub",
      "d 755 0:0 o/glob",
      "d 755 0:0 o/json form",
      "f 644 0:0 o/added/a.txt",
      "f 644 0:0 o/added/sub/deep",
      "f 644 0:0 o/added/top",
      "f 644 0:0 o/both/a.txt",
      "f 644 0:0 o/both/b.txt",
      "f 644 0:0 o/content/sub/deep",
      "f 644 0:0 o/content/top",
      "f 644 0:0 o/glob/a.txt",
      "f 644 0:0 o/glob/b.txt",
      "f 644 0:0 o/glob/deep",
      "f 644 0:0 o/json form/with space.md",
      "f 644 0:0 o/renamed",
    ],
    texts: { "o/renamed": "a" },
  },
  {
    name: "--chown and --chmod, by name and number; the base's accounts decide",
    dockerfile: `FROM busybox
COPY --chown=www-data a.txt /o/user
COPY --chown=www-data:users a.txt /o/both
COPY --chown=:100 a.txt /o/group
COPY --chown=1234:5678 --chmod=4750 a.txt /o/numbers
COPY --chmod=u=rwX,go=rX folder /o/symbolic
USER daemon
COPY a.txt /o/user-does-not-matter
`,
    files: { "a.txt": "a", "folder/sub/file": "f" },
    found: [
      "d 755 0:0 o/symbolic",
      "d 755 0:0 o/symbolic/sub",
      "d 755 33:33 o",
      "f 4750 1234:5678 o/numbers",
      "f 644 0:0 o/symbolic/sub/file",
      "f 644 0:0 o/user-does-not-matter",
      "f 644 0:100 o/group",
      "f 644 33:100 o/both",
      "f 644 33:33 o/user",
    ],
  },
  {
    name: "heredocs with and without expansion",
    dockerfile: `FROM busybox
ARG X=expanded
COPY <<one <<'two' /o/
x is $X
one
x is $X
two
COPY --chmod=755 --chown=33 <<-EOF /o/tabs
\t\tno tabs
\tEOF
RUN <<EOF cat > /o/run && cat <<INNER >> /o/run
x is $X
EOF
in the shell
INNER
RUN <<EOF
#!/bin/cat
a script with its own interpreter
EOF
`,
    files: {},
    found: [FOLDERS, "f 644 0:0 o/one", "f 644 0:0 o/run", "f 644 0:0 o/two", "f 755 33:33 o/tabs"],
    printed: ["#!/bin/cat", "a script with its own interpreter"],
    texts: {
      "o/one": "x is expanded\n",
      "o/two": "x is $X\n",
      "o/run": "x is expanded\nin the shell\n",
      "o/tabs": "no tabs\n",
    },
  },
  {
    name: "links in the context are copied as links, but followed as the named source",
    dockerfile:
      "FROM busybox\nCOPY folder /o\nCOPY folder/link /o/followed\nRUN ln -s /o /way\nCOPY a.txt /way/through\n",
    files: { "a.txt": "a", "folder/file": "f" },
    prepare: async (context) => {
      await Deno.symlink("file", `${context}/folder/link`);
      await Deno.symlink("nowhere", `${context}/folder/dangling`);
    },
    found: [
      FOLDERS,
      "f 644 0:0 o/file",
      "f 644 0:0 o/followed",
      "f 644 0:0 o/through",
      "l 777 0:0 o/dangling nowhere",
      "l 777 0:0 o/link file",
    ],
    texts: { "o/followed": "f", "o/through": "a" },
  },
  {
    name: ".dockerignore with exceptions",
    dockerfile: "FROM busybox\nCOPY . /o/\n",
    files: {
      ".dockerignore": "# comment\n**/*.log\n!keep.log\nnode_modules\n*/temp?\nDockerfile\n.dockerignore\n",
      "keep.log": "",
      "drop.log": "",
      "sub/deep/drop.log": "",
      "sub/deep/file": "",
      "sub/temp1": "",
      "node_modules/x": "",
      "sub/node_modules/y": "",
    },
    found: [
      FOLDERS,
      "d 755 0:0 o/sub",
      "d 755 0:0 o/sub/deep",
      "d 755 0:0 o/sub/node_modules",
      "f 644 0:0 o/keep.log",
      "f 644 0:0 o/sub/deep/file",
      "f 644 0:0 o/sub/node_modules/y",
    ],
  },
  {
    name: "the Dockerfile's own .dockerignore goes before that of the context",
    dockerfile: "FROM busybox\nCOPY . /o/\n",
    files: { ".dockerignore": "wanted\n", "Dockerfile.dockerignore": "*\n!wanted\n", "wanted": "", "other": "" },
    found: [FOLDERS, "f 644 0:0 o/wanted"],
  },
];

Deno.test("COPY and ADD put local files where the Dockerfile says", async (t) => {
  await using world = await startBuildWorld();
  for (const testCase of CASES) await t.step(testCase.name, () => check(testCase, world));
  await t.step("ADD unpacks archives, COPY does not", () => checkArchives(world));
});

async function check({ name, found, texts, printed = [], ...build }: Case, world: BuildWorld): Promise<void> {
  const built = await world.build(build);
  equal(built.code, 0, `${name}: ${built.stderr}`);
  deepEqual(printedBySteps(built.stderr), printed);
  await using image = await unpackLayout(built.layout);
  deepEqual((await describeFiles(image.root, ["o"], FORMAT)).map((line) => line.trimEnd()), found);
  for (const [path, text] of Object.entries(texts ?? {})) equal(await Deno.readTextFile(`${image.root}/${path}`), text);
}

async function checkArchives(world: BuildWorld): Promise<void> {
  const packed = ["a.tar", "b.tar.gz", "c-without-a-name-of-a-tar", "d.tar.xz", "e.tar.bz2"];
  const built = await world.build({
    dockerfile: `FROM busybox
ADD ${packed.join(" ")} plain.gz /o/
ADD --chown=7:8 a.tar /o/owned/
COPY a.tar /o/
`,
    prepare: async (context) => {
      for (const [index, flag] of ["", "z", "z", "J", "j"].entries()) {
        await using tree = await makeTempDir();
        await mustRun(
          ["sh", "-c", 'mkdir "$1" && echo "$1" > "$1/file" && ln "$1/file" "$1/hard"', "sh", `d${index}`],
          {
            cwd: tree.path,
          },
        );
        const owner = ["--owner=33", "--group=100", "--mtime=@1000000000", "--mode=u=rwx,go=rx"];
        const tar = ["tar", `-c${flag}f`, `${context}/${packed[index]}`, ...owner, `d${index}`];
        await mustRun(tar, { cwd: tree.path });
      }
      await mustRun(["sh", "-c", "echo not a tar | gzip > plain.gz"], { cwd: context });
    },
  });
  equal(built.code, 0, built.stderr);
  await using image = await unpackLayout(built.layout);
  const found = await describeFiles(image.root, ["o"], "%y %m %U:%G %n %Ts %P");
  const unpacked = [0, 1, 2, 3, 4].flatMap((index) => [
    `d 755 33:100 2 1000000000 d${index}`,
    `f 755 33:100 2 1000000000 d${index}/file`,
    `f 755 33:100 2 1000000000 d${index}/hard`,
  ]);
  const owned = ["d 755 7:8 2 1000000000 owned/d0", "f 755 7:8 2 1000000000 owned/d0/file"];
  for (const line of [...unpacked, ...owned]) equal(found.includes(line), true, `${line}\n${found.join("\n")}`);
  const names = found.map((line) => line.split(" ").at(-1)).filter((path) => path !== undefined && !/d\d/.test(path));
  deepEqual(names.sort(), ["", "a.tar", "owned", "plain.gz"]);
}
