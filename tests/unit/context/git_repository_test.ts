import { deepEqual, equal, rejects } from "node:assert/strict";
import { GitRepository } from "../../../src/context/git_repository.ts";
import { commitAll, git, makeRepository } from "../../support/git_server.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

Deno.test("GitRepository reads what is in a pack, tags of tags too", async () => {
  await using folder = await makeTempDir();
  const source = await makeRepository({ folder: folder.path }, "r");
  await Deno.writeTextFile(`${source}/f`, "text");
  const commit = await commitAll(source);
  await git(source, "tag", "-a", "-m", "x", "one");
  await git(source, "tag", "-a", "-m", "x", "two", "one");
  await git(source, "repack", "-a", "-d", "-q");
  const [pack = ""] = [...Deno.readDirSync(`${source}/.git/objects/pack`)].map(({ name }) => name)
    .filter((name) => name.endsWith(".pack"));
  const repository = await GitRepository.create(`${folder.path}/git`);
  await repository.addPack((path) => Deno.copyFile(`${source}/.git/objects/pack/${pack}`, path));
  await repository.markShallow([commit]);
  const found = await repository.commit(await git(source, "rev-parse", "two"));
  equal(found.id, commit);
  const [file] = await repository.tree(found.tree);
  equal(file?.name, "f");
  equal(new TextDecoder().decode(await repository.blob(file?.id ?? "")), "text");
  deepEqual([await repository.has(commit), await repository.has("0".repeat(40))], [true, false]);
  await rejects(repository.commit(found.tree), /it is a tree, not a commit$/);
  await rejects(repository.tree(commit), /it is a commit, not a tree$/);
  await rejects(repository.blob(commit), /it is a commit, not a file$/);
  await rejects(repository.blob("0".repeat(40)), /the server has not sent it$/);
  equal(await Deno.readTextFile(`${repository.folder}/shallow`), `${commit}\n`);
});

Deno.test("GitRepository throws when a pack is damaged", async () => {
  await using folder = await makeTempDir();
  const repository = await GitRepository.create(`${folder.path}/git`);
  const write = (path: string): Promise<void> => Deno.writeTextFile(path, "PACK and no more");
  await rejects(repository.addPack(write), { name: "FormatError", message: /^Cannot read git pack: / });
});
