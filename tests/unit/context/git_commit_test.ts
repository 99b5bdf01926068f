import { deepEqual, throws } from "node:assert/strict";
import { fetchCommit, findRef } from "../../../src/context/git_commit.ts";
import { GitRepository } from "../../../src/context/git_repository.ts";
import { parseGitReference } from "../../../src/context/git_reference.ts";
import { fetchServices } from "../../support/fetch_services.ts";
import { commitAll, makeRepository, startGitServer } from "../../support/git_server.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const id = (digit: string): string => digit.repeat(40);
const REFS = new Map([
  ["HEAD", id("1")],
  ["refs/heads/main", id("1")],
  ["refs/heads/same", id("2")],
  ["refs/tags/same", id("3")],
  ["refs/pull/1/head", id("4")],
]);

const FOUND: readonly (readonly [suffix: string, id: string, name: string | undefined])[] = [
  ["", id("1"), "refs/heads/main"],
  ["#same", id("3"), "refs/tags/same"],
  ["?branch=same", id("2"), "refs/heads/same"],
  ["#heads/same", id("2"), "refs/heads/same"],
  ["#pull/1/head", id("4"), "refs/pull/1/head"],
  [`#${id("9")}`, id("9"), undefined],
  [`?ref=main&commit=${id("8")}&fetch-by-commit=1`, id("8"), undefined],
];

for (const [suffix, found, name] of FOUND) {
  Deno.test(`findRef finds what "${suffix}" means`, () => {
    deepEqual(findRef(parseGitReference(`https://h/r.git${suffix}`), { refs: REFS }), { id: found, name });
  });
}

Deno.test("findRef throws when there is no such ref", () => {
  const find = (suffix: string, refs = REFS) => (): unknown => findRef(parseGitReference(`git@h:r${suffix}`), { refs });
  throws(find("#no"), { name: "ContextError", message: 'Cannot fetch "git@h:r#no": the repository has no ref "no"' });
  throws(find("#0123456"), { hint: "If that is a commit, give all its 40 digits" });
  throws(find("", new Map()), { message: 'Cannot fetch "git@h:r": the repository has no default branch' });
});

Deno.test("fetchCommit puts the commit into the repository", async () => {
  await using server = await startGitServer();
  const commit = await commitAll(await makeRepository(server, "r"));
  await using folder = await makeTempDir();
  const repository = await GitRepository.create(`${folder.path}/git`);
  const fetched = await fetchCommit(parseGitReference(`${server.url}/r.git`), repository, fetchServices());
  deepEqual(fetched, {
    id: commit,
    objectId: commit,
    name: "refs/heads/main",
    tree: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    committedAt: 1_700_000_000,
  });
});
