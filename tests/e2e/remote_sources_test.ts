/** ADD of URLs and git repositories, --link, --parents and --build-context, by the compiled program, as umoci unpacks the image. */
import { deepEqual, equal, match } from "node:assert/strict";
import { type BuildWorld, type HostBuild, startBuildWorld } from "../support/build_world.ts";
import {
  commitAll,
  git,
  type GitServer,
  makeRepository,
  startGitDaemon,
  startGitServer,
} from "../support/git_server.ts";
import { listFiles } from "../support/leftovers.ts";
import { describeFiles, inspectConfig, unpackLayout } from "../support/read_image.ts";
import { mustRun } from "../support/run_command.ts";

/** Type, mode, owner, time, path and link target. */
const FORMAT = "%y %m %U:%G %Ts %p %l";
const MODIFIED = 1_700_000_000;
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

interface FileServer extends AsyncDisposable {
  readonly url: string;
}

/** The machine of the tests: what is fetched from, besides the registry. */
interface Sources {
  readonly world: BuildWorld;
  readonly files: FileServer;
  readonly repositories: GitServer;
  readonly daemon: string;
  readonly commit: string;
}

function serveFiles(archive: Uint8Array<ArrayBuffer>): FileServer {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    const headers = { "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT" };
    const isOpen = request.headers.get("authorization") === `Basic ${btoa("me:secret")}`;
    if (pathname === "/moved") return new Response(null, { status: 302, headers: { location: "/dir/file" } });
    if (pathname === "/private" && !isOpen) return new Response("no", { status: 401 });
    if (pathname === "/a.tgz") return new Response(archive, { headers });
    if (pathname === "/none") return new Response("no", { status: 404 });
    return pathname === "/undated" ? new Response("u") : new Response(`at ${pathname}`, { headers });
  });
  return { url: `http://127.0.0.1:${server.addr.port}`, [Symbol.asyncDispose]: () => server.shutdown() };
}

async function makeArchive(world: BuildWorld): Promise<Uint8Array<ArrayBuffer>> {
  await Deno.mkdir(`${world.folder}/packed/d`, { recursive: true });
  await Deno.writeTextFile(`${world.folder}/packed/d/in`, "archived");
  const owner = ["--owner=5", "--group=6", `--mtime=@${MODIFIED}`];
  await mustRun(["tar", "-czf", "packed.tgz", ...owner, "-C", "packed", "d"], { cwd: world.folder });
  return await Deno.readFile(`${world.folder}/packed.tgz`);
}

async function makeRepositories(server: GitServer): Promise<string> {
  const inner = await makeRepository(server, "inner");
  await Deno.writeTextFile(`${inner}/i`, "inner");
  await commitAll(inner);
  const top = await makeRepository(server, "top");
  await Deno.mkdir(`${top}/sub`);
  await Deno.writeTextFile(`${top}/sub/run`, "#!/bin/sh\necho ran\n", { mode: 0o700 });
  await Deno.writeTextFile(`${top}/readme`, "top");
  await Deno.symlink("sub/run", `${top}/link`);
  await git(top, "submodule", "--quiet", "add", "--name", "m", inner, "mod");
  await git(top, "config", "-f", ".gitmodules", "submodule.m.url", "../inner.git");
  const commit = await commitAll(top);
  await git(top, "tag", "v1");
  return commit;
}

Deno.test("files from elsewhere come into the image", async (t) => {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await startBuildWorld());
  const files = stack.use(serveFiles(await makeArchive(world)));
  const repositories = stack.use(await startGitServer());
  const commit = await makeRepositories(repositories);
  const daemon = stack.use(await startGitDaemon(repositories.folder)).url;
  const sources: Sources = { world, files, repositories, daemon, commit };
  await t.step("ADD of URLs", () => checkUrls(sources));
  await t.step("ADD of git repositories", () => checkRepositories(sources));
  await t.step("COPY --link and --parents", () => checkLinks(sources));
  await t.step("named contexts", () => checkContexts(sources));
  await t.step("the same image each time", () => checkTwice(sources));
  await t.step("what cannot be had is one error, and nothing is left", () => checkFaults(sources));
});

async function checkUrls({ world, files }: Sources): Promise<void> {
  const login = files.url.replace("//", "//me:secret@");
  const built = await world.build({
    dockerfile: `FROM busybox
ADD ${files.url}/dir/file ${files.url}/moved ${files.url}/undated /o/
ADD --chown=7:8 --chmod=640 ${login}/private?a=b /o/as
ADD ${files.url}/a.tgz /o/packed/
ADD --unpack=true ${files.url}/a.tgz /o/unpacked/
ADD --checksum=sha256:${"0".repeat(0)}${await digestOf("at /x")} ${files.url}/x /o/x
RUN cat /o/as
`,
  });
  equal(built.code, 0, built.stderr);
  equal(/secret/.test(built.stderr), false, built.stderr);
  await using image = await unpackLayout(built.layout);
  deepEqual(
    (await describeFiles(image.root, ["o"], FORMAT)).map((line) => line.trimEnd()).filter((l) => l[0] === "f"),
    [
      "f 600 0:0 0 o/undated",
      `f 600 0:0 ${MODIFIED} o/file`,
      `f 600 0:0 ${MODIFIED} o/moved`,
      `f 600 0:0 ${MODIFIED} o/packed/a.tgz`,
      `f 600 0:0 ${MODIFIED} o/x`,
      `f 640 7:8 ${MODIFIED} o/as`,
      `f 644 5:6 ${MODIFIED} o/unpacked/d/in`,
    ],
  );
  equal(await Deno.readTextFile(`${image.root}/o/as`), "at /private");
  const { history = [] } = await inspectConfig(`oci:${built.layout}:latest`);
  const words = history.map(({ created_by = "" }) => created_by).filter((text) => text.startsWith("ADD --chown"));
  const shown = files.url.replace("//", "//xxxxx:xxxxx@");
  deepEqual(words, [`ADD --chown=7:8 --chmod=640 ${shown}/private?a=b /o/as # buildkit`]);
}

async function digestOf(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function checkRepositories({ world, repositories, daemon, commit }: Sources): Promise<void> {
  const built = await world.build({
    dockerfile: `FROM busybox
ADD ${repositories.url}/top.git /o/all
ADD --chown=3:4 ${daemon}/top.git#v1:sub /o/sub/
ADD --keep-git-dir --checksum=${commit.slice(0, 10)} ${repositories.url}/top.git?tag=v1&submodules=false /o/kept/
RUN /o/all/link && /o/sub/run
`,
  });
  equal(built.code, 0, built.stderr);
  equal(built.stderr.match(/^ran$/gm)?.length, 2, built.stderr);
  await using image = await unpackLayout(built.layout);
  const found = await describeFiles(image.root, ["o/all", "o/sub"], FORMAT);
  deepEqual(found.map((line) => line.trimEnd()).filter((line) => !/ o\/(?:all|sub)$/.test(line)), [
    `d 755 0:0 ${MODIFIED} o/all/mod`,
    `d 755 0:0 ${MODIFIED} o/all/sub`,
    `f 644 0:0 ${MODIFIED} o/all/.gitmodules`,
    `f 644 0:0 ${MODIFIED} o/all/mod/i`,
    `f 644 0:0 ${MODIFIED} o/all/readme`,
    `f 755 0:0 ${MODIFIED} o/all/sub/run`,
    `f 755 3:4 ${MODIFIED} o/sub/run`,
    `l 777 0:0 ${MODIFIED} o/all/link sub/run`,
  ]);
  equal(await git(`${image.root}/o/kept`, "-c", "safe.directory=*", "describe", "--tags"), "v1");
  deepEqual([...Deno.readDirSync(`${image.root}/o/kept/mod`)], []);
}

async function checkLinks({ world }: Sources): Promise<void> {
  const built = await world.build({
    dockerfile: `FROM busybox
RUN mkdir /o /real && ln -s /real /o/abs
COPY --link f /o/abs/
RUN echo more >> /o/abs/f && ls /real | wc -l
COPY --parents a/b/c.txt a/./b/*.md **/deep.txt /o/p/
`,
    files: { "f": "f", "a/b/c.txt": "c", "a/b/d.md": "d", "x/y/deep.txt": "e" },
  });
  equal(built.code, 0, built.stderr);
  match(built.stderr, /^0$/m);
  await using image = await unpackLayout(built.layout);
  deepEqual((await describeFiles(image.root, ["o"], "%y %p")).filter((line) => line !== "d o"), [
    "d o/abs",
    "d o/p",
    "d o/p/a",
    "d o/p/a/b",
    "d o/p/b",
    "d o/p/x",
    "d o/p/x/y",
    "f o/abs/f",
    "f o/p/a/b/c.txt",
    "f o/p/b/d.md",
    "f o/p/x/y/deep.txt",
  ]);
  equal(await Deno.readTextFile(`${image.root}/o/abs/f`), "fmore\n");
}

async function checkContexts({ world, files, repositories }: Sources): Promise<void> {
  const layout = await world.build({ dockerfile: "FROM busybox\nCOPY f /from-layout\n", files: { f: "layout" } });
  equal(layout.code, 0, layout.stderr);
  const other = `${world.folder}/other`;
  await Deno.mkdir(other, { recursive: true });
  for (const name of ["wanted", "a.log"]) await Deno.writeTextFile(`${other}/${name}`, name);
  await Deno.writeTextFile(`${other}/.dockerignore`, "*.log\n");
  const built = await world.build({
    dockerfile: `FROM nowhere.example/base:9 AS tools
FROM scratch AS replaced
COPY no-such-file /
FROM folder AS files
FROM tools
COPY --from=folder . /o/folder/
COPY --from=replaced / /o/replaced/
COPY --from=files /wanted /o/base/
COPY --from=archive /d /o/archive/
COPY --from=repo readme /o/
RUN --mount=from=folder,target=/m cat /m/wanted > /o/mounted
`,
    args: [
      `--build-context=nowhere.example/base:9=oci-layout://${layout.layout}:latest`,
      `--build-context=replaced=docker-image://busybox`,
      `--build-context=folder=${other}`,
      `--build-context=archive=${files.url}/a.tgz`,
      `--build-context=repo=${repositories.url}/top.git#v1`,
      `--build-context=repoo=unused`,
    ],
  });
  equal(built.code, 0, built.stderr);
  match(built.stderr, /^WARN Build context "repoo" is not used: .* \(did you mean "repo"\?\)$/m);
  await using image = await unpackLayout(built.layout);
  const texts = { "from-layout": "layout", "o/archive/in": "archived", "o/readme": "top", "o/mounted": "wanted" };
  for (const [path, text] of Object.entries(texts)) equal(await Deno.readTextFile(`${image.root}/${path}`), text);
  const found = await describeFiles(image.root, ["o/folder", "o/base"], "%y %U:%G %p");
  deepEqual(found, [
    "d 0:0 o/base",
    "d 0:0 o/folder",
    "f 0:0 o/base/wanted",
    "f 0:0 o/folder/.dockerignore",
    "f 0:0 o/folder/wanted",
  ]);
  equal((await Deno.stat(`${image.root}/o/replaced/bin`)).isDirectory, true);
}

async function checkTwice({ world, files, repositories }: Sources): Promise<void> {
  const dockerfile = `FROM scratch
ADD ${files.url}/dir/file /a/b/
ADD --keep-git-dir ${repositories.url}/top.git /src/
`;
  const layers: unknown[] = [];
  for (let time = 0; time < 2; time++) {
    const built = await world.build({ dockerfile });
    equal(built.code, 0, built.stderr);
    const { rootfs } = JSON.parse(
      await mustRun(["skopeo", "inspect", "--config", "--raw", `oci:${built.layout}:latest`]),
    );
    layers.push(rootfs);
  }
  deepEqual(layers[0], layers[1]);
}

async function checkFaults({ world, files, repositories }: Sources): Promise<void> {
  const secret = files.url.replace("//", "//me:wrong@");
  const shown = files.url.replace("//", "//xxxxx:xxxxx@");
  const gitUrl = repositories.url;
  const cases: readonly (readonly [line: string, message: string, build?: HostBuild])[] = [
    [`ADD ${files.url}/none /`, `Cannot add "${files.url}/none": the server answered with status 404`],
    [`ADD ${secret}/private /`, `Cannot add "${shown}/private": the server answered with status 401`],
    [`ADD --checksum=sha256:${EMPTY} ${files.url}/x /`, `Cannot add "${files.url}/x": its digest is sha256:`],
    [`ADD ${gitUrl}/top.git#none /`, `Cannot fetch "${gitUrl}/top.git#none": the repository has no ref "none"`],
    [`ADD ${gitUrl}/none.git /`, `Cannot fetch "${gitUrl}/none.git": the server answered with status 404`],
    [`ADD --checksum=1234567 ${gitUrl}/top.git /`, `Cannot fetch "${gitUrl}/top.git": its commit is `],
    [`COPY ${files.url}/x /`, `Cannot copy "${files.url}/x": a source of COPY cannot be a URL`],
    ["COPY --parents x/none /", 'Cannot copy "/x/none": not found'],
    ["COPY --from=named a /", 'Cannot open context "/no/such/folder": not found', {
      args: ["--build-context=named=/no/such/folder"],
    }],
    ["COPY --from=named a /", `Cannot open build context "${files.url}/x": it is not a tar, plain or compressed`, {
      args: [`--build-context=named=${files.url}/x`],
    }],
  ];
  for (const [line, message, build] of cases) {
    const built = await world.build({ dockerfile: `FROM scratch\n${line}\n`, ...build });
    equal(built.code === 0, false, line);
    equal(built.stderr.includes(message), true, `${line}\n${built.stderr}`);
    match(built.stderr, /Dockerfile:2$/m);
    equal(built.stderr.includes("wrong@"), false, built.stderr);
    deepEqual(await listFiles(built.work).catch(() => []), [], line);
  }
}
