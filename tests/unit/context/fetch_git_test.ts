import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { fetchGit, type GitCheckout } from "../../../src/context/fetch_git.ts";
import { parseGitReference } from "../../../src/context/git_reference.ts";
import { describeFolder } from "../../support/copy_scene.ts";
import { fetchServices } from "../../support/fetch_services.ts";
import {
  commitAll,
  git,
  type GitServer,
  makeRepository,
  startGitDaemon,
  startGitServer,
} from "../../support/git_server.ts";
import { makeTempDir, type TempDir } from "../../support/temp_dir.ts";
import { listDirectory } from "../../../src/sys/walk.ts";

/** A repository of two commits: branch main, branch side/one, a light and an annotated tag, a ref of a pull request. */
async function makeSample(server: Pick<GitServer, "folder">): Promise<{ first: string; second: string; tag: string }> {
  const folder = await makeRepository(server, "r");
  await Deno.writeTextFile(`${folder}/a`, "one");
  await Deno.mkdir(`${folder}/d/e`, { recursive: true });
  await Deno.writeTextFile(`${folder}/d/e/run`, "#!/bin/sh\n", { mode: 0o700 });
  await Deno.writeTextFile(`${folder}/empty`, "");
  await Deno.symlink("d/e", `${folder}/link`);
  const first = await commitAll(folder, "first");
  await git(folder, "tag", "light");
  await git(folder, "tag", "-a", "-m", "t", "v1");
  const tag = await git(folder, "rev-parse", "v1");
  await git(folder, "update-ref", "refs/pull/7/head", first);
  await git(folder, "branch", "side/one");
  await Deno.writeTextFile(`${folder}/a`, "two");
  const second = await commitAll(folder, "second");
  return { first, second, tag };
}

async function fetched(url: string, folder: TempDir): Promise<GitCheckout> {
  return await fetchGit(parseGitReference(url), folder.path, fetchServices());
}

const REST = { "/d": "d", "/d/e": "d", "/d/e/run": "f:#!/bin/sh\n@755", "/empty": "f:", "/link": "l:d/e" };
const ONE = { "/a": "f:one", ...REST };
const TWO = { "/a": "f:two", ...REST };

Deno.test("fetchGit finds every kind of ref", async () => {
  await using server = await startGitServer();
  const { first, second, tag } = await makeSample(server);
  const cases: readonly (readonly [suffix: string, commit: string, files: object])[] = [
    ["", second, TWO],
    ["#main", second, TWO],
    ["#side/one", first, ONE],
    ["#refs/heads/side/one", first, ONE],
    ["#light", first, ONE],
    ["#v1", first, ONE],
    ["?tag=v1", first, ONE],
    ["?branch=side/one", first, ONE],
    ["#refs/pull/7/head", first, ONE],
    ["#pull/7/head", first, ONE],
    [`#${first}`, first, ONE],
    [`#${tag}`, first, ONE],
    [`?commit=${first}`, first, ONE],
    [`?ref=v1&commit=${tag.slice(0, 8)}`, first, ONE],
    [`?ref=main&commit=${first}&fetch-by-commit=true`, first, ONE],
    ["#main:d", second, { "/e": "d", "/e/run": "f:#!/bin/sh\n@755" }],
    ["#:link", second, { "/run": "f:#!/bin/sh\n@755" }],
  ];
  for (const [suffix, commit, files] of cases) {
    await using folder = await makeTempDir();
    const checkout = await fetched(`${server.url}/r.git${suffix}`, folder);
    equal(checkout.commit, commit, suffix);
    deepEqual({ ...describeFolder(checkout.root) }, { ...files }, suffix);
  }
});

Deno.test("fetchGit gives files the time of their commit, or of now", async () => {
  await using server = await startGitServer();
  await makeSample(server);
  for (const [suffix, isOld] of [["", true], ["?mtime=commit", true], ["?mtime=checkout", false]] as const) {
    await using folder = await makeTempDir();
    const { root } = await fetched(`${server.url}/r.git${suffix}`, folder);
    for (const path of ["", "/a", "/d", "/d/e/run"]) {
      equal((await Deno.stat(root + path)).mtime?.getTime() === 1_700_000_000_000, isOld, `${suffix} ${path}`);
    }
  }
});

Deno.test("fetchGit keeps a folder that git can use when it is told to", async () => {
  await using server = await startGitServer({ login: "u:p" });
  await makeSample(server);
  for (const [ref, description] of [["v1", "tags/v1"], ["main", "heads/main"]] as const) {
    await using folder = await makeTempDir();
    const url = `${server.url.replace("//", "//u:p@")}/r.git?ref=${ref}&keep-git-dir=true`;
    const { root, commit } = await fetched(url, folder);
    equal(await git(root, "-c", `safe.directory=*`, "rev-parse", "HEAD"), commit);
    equal(await git(root, "-c", `safe.directory=*`, "status", "--porcelain"), "");
    equal(await git(root, "-c", `safe.directory=*`, "describe", "--all"), description);
    equal(await git(root, "config", "remote.origin.url"), `${server.url.replace("//", "//xxxxx:xxxxx@")}/r.git`);
    await git(root, "-c", `safe.directory=*`, "fsck", "--connectivity-only");
  }
});

Deno.test("fetchGit sends a login to its own server alone", async () => {
  await using other = await startGitServer();
  await using server = await startGitServer({ login: "me:it's@secret" });
  const inner = await makeRepository(other, "inner");
  await Deno.writeTextFile(`${inner}/i`, "i");
  await commitAll(inner);
  const near = await makeRepository(server, "group/near");
  await Deno.writeTextFile(`${near}/n`, "n");
  await commitAll(near);
  const top = await makeRepository(server, "group/top");
  await git(top, "submodule", "--quiet", "add", "--name", "far", inner, "sub/far");
  await git(top, "submodule", "--quiet", "add", "--name", "near", near, "near");
  await git(top, "config", "-f", ".gitmodules", "submodule.far.url", `${other.url}/inner.git`);
  await git(top, "config", "-f", ".gitmodules", "submodule.near.url", "../near.git");
  await commitAll(top);
  await using folder = await makeTempDir();
  const { root } = await fetched(`${server.url.replace("//", "//me:it's%40secret@")}/group/top.git`, folder);
  const files = describeFolder(root);
  equal(files["/sub/far/i"], "f:i");
  equal(files["/near/n"], "f:n");
  deepEqual(other.requests.map(({ authorization }) => authorization).filter((value) => value !== null), []);
  deepEqual(Deno.readDirSync(folder.path).map(({ name }) => name).toArray().toSorted(), ["git", "tree"]);
  await using without = await makeTempDir();
  const bare = await fetched(
    `${server.url.replace("//", "//me:it's%40secret@")}/group/top.git?submodules=false`,
    without,
  );
  deepEqual({ ...describeFolder(bare.root), "/.gitmodules": "" }, {
    "/.gitmodules": "",
    "/near": "d",
    "/sub": "d",
    "/sub/far": "d",
  });
});

Deno.test("fetchGit refuses submodules that are no server's", async () => {
  for (const url of ["file:///etc", "/etc", "ext::sh -c touch% /tmp/x", "-u/x", "../../../../../../x"]) {
    await using server = await startGitServer();
    const inner = await makeRepository(server, "inner");
    await commitAll(inner);
    const top = await makeRepository(server, "top");
    await git(top, "submodule", "--quiet", "add", "--name", "s", inner, "s");
    await git(top, "config", "-f", ".gitmodules", "submodule.s.url", url);
    await commitAll(top);
    await using folder = await makeTempDir();
    await rejects(fetched(`${server.url}/top.git`, folder), (error: Error) => {
      equal(error.name, "ContextError");
      match(error.message, /^Cannot fetch "http:\/\/127.0.0.1:\d+\/top.git": Cannot use submodule URL "/, url);
      return true;
    });
  }
});

Deno.test("fetchGit fetches by git's own protocol, commits that no ref names too", async () => {
  await using server = await startGitServer();
  const { first, second } = await makeSample(server);
  const folder = `${server.folder}/r.git`;
  await Deno.writeTextFile(`${folder}/a`, "three");
  await commitAll(folder, "third");
  await using daemon = await startGitDaemon(server.folder);
  for (const [suffix, commit] of [["#v1", first], [`#${second}`, second]] as const) {
    await using target = await makeTempDir();
    const checkout = await fetched(`${daemon.url}/r.git${suffix}`, target);
    equal(checkout.commit, commit, suffix);
    deepEqual(describeFolder(checkout.root), suffix === "#v1" ? ONE : TWO);
  }
});

Deno.test("fetchGit fetches by the ssh program", async () => {
  await using server = await startGitServer();
  const { second } = await makeSample(server);
  await using bin = await makeTempDir();
  const program = `${bin.path}/ssh`;
  const script = `#!/bin/sh\necho "$@" > ${bin.path}/args\nfor last; do :; done\nexport GIT_CONFIG_COUNT=1 ` +
    `GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'\ncd ${server.folder} && eval "$last"\n`;
  await Deno.writeTextFile(program, script, { mode: 0o755 });
  const services = { ...fetchServices(), sshProgram: program };
  for (const url of ["git@example.com:r.git", `ssh://git@example.com:2222${server.folder}/r.git#main`]) {
    await using folder = await makeTempDir();
    const checkout = await fetchGit(parseGitReference(url), folder.path, services);
    equal(checkout.commit, second);
    deepEqual(describeFolder(checkout.root), TWO);
  }
  match(
    await Deno.readTextFile(`${bin.path}/args`),
    /^-o BatchMode=yes -o ConnectTimeout=60 -p 2222 -- git@example.com git-upload-pack '\//,
  );
  await Deno.writeTextFile(program, "#!/bin/sh\necho 'Permission denied (publickey).' >&2\nexit 255\n", {
    mode: 0o755,
  });
  await using folder = await makeTempDir();
  await rejects(fetchGit(parseGitReference("git@example.com:r.git"), folder.path, services), {
    message: 'Cannot fetch "git@example.com:r.git": Permission denied (publickey).',
  });
  await using another = await makeTempDir();
  const without = { ...fetchServices(), sshProgram: `${bin.path}/none` };
  await rejects(fetchGit(parseGitReference("git@example.com:r.git"), another.path, without), {
    name: "UnsupportedError",
    message: 'Cannot fetch "git@example.com:r.git": there is no ssh program here',
  });
});

Deno.test("fetchGit says what is wrong, without secrets", async () => {
  await using server = await startGitServer({ login: "u:right" });
  const { first } = await makeSample(server);
  const secret = server.url.replace("//", "//u:right@");
  const shown = server.url.replace("//", "//xxxxx:xxxxx@");
  const cases: readonly (readonly [url: string, message: string])[] = [
    [`${server.url}/r.git`, `Cannot fetch "${server.url}/r.git": the server answered with status 401`],
    [
      server.url.replace("//", "//u:wrong@") + "/r.git",
      `Cannot fetch "${shown}/r.git": the server answered with status 401`,
    ],
    [`${secret}/none.git`, `Cannot fetch "${shown}/none.git": the server answered with status 404`],
    [`${secret}/r.git#none`, `Cannot fetch "${shown}/r.git#none": the repository has no ref "none"`],
    [`${secret}/r.git#main:none`, `Cannot fetch "${shown}/r.git#main:none": "none" is not there`],
    [`${secret}/r.git#main:a`, `Cannot fetch "${shown}/r.git#main:a": "a" is not a directory`],
    [
      `${secret}/r.git?ref=v1&commit=1234567`,
      `Cannot fetch "${shown}/r.git#v1": its commit is ${first}, not 1234567`,
    ],
    [
      `${secret}/r.git#${"ab".repeat(20)}`,
      `Cannot fetch "${shown}/r.git": the repository has no commit ${"ab".repeat(20)}`,
    ],
  ];
  for (const [url, message] of cases) {
    await using folder = await makeTempDir();
    await rejects(fetched(url, folder), (error: Error) => {
      equal(error.message, message, url);
      equal(error.name, "ContextError");
      return true;
    });
  }
});

Deno.test("fetchGit writes nothing outside when trees are hostile", async () => {
  await using server = await startGitServer();
  const folder = await makeRepository(server, "r");
  const blob = await git(folder, "hash-object", "-w", "/dev/null");
  for (const name of ["..", ".git", ".GIT", "."]) {
    const tree = await writeTree(folder, name, blob);
    const commit = await git(folder, "commit-tree", "-m", "m", tree);
    await git(folder, "update-ref", "refs/heads/bad", commit);
    await using target = await makeTempDir();
    await rejects(fetched(`${server.url}/r.git#bad`, target), /is not a name for a file$/, name);
  }
});

/** git's own commands refuse such a tree. */
async function writeTree(folder: string, name: string, blob: string): Promise<string> {
  const id = blob.match(/../g)?.map((pair) => Number.parseInt(pair, 16)) ?? [];
  const content = new Uint8Array([...new TextEncoder().encode(`100644 ${name}\0`), ...id]);
  const path = `${folder}/.git/bad-tree`;
  await Deno.writeFile(path, content);
  return await git(folder, "hash-object", "-t", "tree", "-w", "--literally", path);
}

Deno.test("fetchGit leaves names that are not UTF-8 as they are", async () => {
  await using server = await startGitServer();
  const folder = await makeRepository(server, "r");
  const blob = await git(folder, "hash-object", "-w", "/dev/null");
  const id = blob.match(/../g)?.map((pair) => Number.parseInt(pair, 16)) ?? [];
  const path = `${folder}/.git/latin-tree`;
  await Deno.writeFile(path, new Uint8Array([...new TextEncoder().encode("100644 "), 0xe4, 0, ...id]));
  const tree = await git(folder, "hash-object", "-t", "tree", "-w", path);
  await git(folder, "update-ref", "refs/heads/latin", await git(folder, "commit-tree", "-m", "m", tree));
  await using target = await makeTempDir();
  const { root } = await fetched(`${server.url}/r.git#latin`, target);
  deepEqual<unknown>(listDirectory(root), ["\xe4"]);
});
