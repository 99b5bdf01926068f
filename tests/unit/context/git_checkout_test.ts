import { deepEqual, equal, rejects } from "node:assert/strict";
import { checkOut, MAX_ENTRIES } from "../../../src/context/git_checkout.ts";
import { GitRepository } from "../../../src/context/git_repository.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { describeFolder } from "../../support/copy_scene.ts";
import { commitAll, git, makeRepository } from "../../support/git_server.ts";
import { makeTempDir, type TempDir } from "../../support/temp_dir.ts";

const OPTIONS = { source: "r", mtimeNs: 5_000_000_000n, signal: new AbortController().signal };

/** A repository of ours with all objects of the one at `source`. */
async function repositoryOf(source: string, folder: TempDir): Promise<GitRepository> {
  await git(source, "repack", "-a", "-d", "-q", "--keep-unreachable");
  const names = [...Deno.readDirSync(`${source}/.git/objects/pack`)].map(({ name }) => name);
  const repository = await GitRepository.create(`${folder.path}/git`);
  const pack = names.find((name) => name.endsWith(".pack")) ?? "";
  await repository.addPack((path) => Deno.copyFile(`${source}/.git/objects/pack/${pack}`, path));
  return repository;
}

Deno.test("checkOut writes modes whatever the umask, links as links, and tells of all that is no directory", async () => {
  await using folder = await makeTempDir();
  const source = await makeRepository({ folder: folder.path }, "r");
  await Deno.mkdir(`${source}/d`);
  await Deno.writeTextFile(`${source}/d/run`, "x", { mode: 0o755 });
  await Deno.writeTextFile(`${source}/file`, "y");
  await Deno.symlink("/etc/passwd", `${source}/link`);
  await commitAll(source);
  const tree = await git(source, "rev-parse", "HEAD^{tree}");
  const repository = await repositoryOf(source, folder);
  const target = `${folder.path}/target`;
  await Deno.mkdir(target);
  const umask = Deno.umask(0o077);
  try {
    const entries = await checkOut(repository, tree, rawPath(target), OPTIONS);
    deepEqual<unknown>(entries.map(({ path, kind }) => [path, kind]), [
      ["d/run", "program"],
      ["file", "file"],
      ["link", "symlink"],
    ]);
  } finally {
    Deno.umask(umask);
  }
  deepEqual(describeFolder(rawPath(target)), {
    "/d": "d",
    "/d/run": "f:x@755",
    "/file": "f:y",
    "/link": "l:/etc/passwd",
  });
  for (const path of ["d", "d/run", "file", "link"]) {
    equal((await Deno.lstat(`${target}/${path}`)).mtime?.getTime(), 5000, path);
  }
});

Deno.test("checkOut writes through no link that the repository brings along", async () => {
  await using folder = await makeTempDir();
  const source = await makeRepository({ folder: folder.path }, "r");
  await Deno.mkdir(`${folder.path}/outside`);
  const blob = await git(source, "hash-object", "-w", "/dev/null");
  await Deno.writeTextFile(`${folder.path}/to`, `${folder.path}/outside`);
  const link = await git(source, "hash-object", "-w", `${folder.path}/to`);
  await Deno.writeTextFile(`${folder.path}/lines`, `100644 blob ${blob}\tstolen\n`);
  const inner = (await new Deno.Command("sh", { args: ["-c", `cd ${source} && git mktree < ${folder.path}/lines`] })
    .output()).stdout;
  const innerId = new TextDecoder().decode(inner).trim();
  const entry = (mode: string, id: string): number[] => [
    ...new TextEncoder().encode(`${mode} x\0`),
    ...id.match(/../g)?.map((pair) => Number.parseInt(pair, 16)) ?? [],
  ];
  await Deno.writeFile(`${folder.path}/tree`, Uint8Array.from([...entry("120000", link), ...entry("40000", innerId)]));
  const bad = await git(source, "hash-object", "-t", "tree", "-w", "--literally", `${folder.path}/tree`);
  await git(source, "update-ref", "refs/heads/bad", await git(source, "commit-tree", "-m", "m", bad));
  const repository = await repositoryOf(source, folder);
  await Deno.mkdir(`${folder.path}/target`);
  await rejects(checkOut(repository, bad, rawPath(`${folder.path}/target`), OPTIONS), { name: "SystemError" });
  deepEqual([...Deno.readDirSync(`${folder.path}/outside`)], []);
});

Deno.test("checkOut has a bound for trees that name each other", () => equal(MAX_ENTRIES <= 10_000_000, true));
