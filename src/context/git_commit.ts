/** From a ref to a commit that is here: the server's offer read, the ref found in it, the commit fetched and checked. */
import { errorText } from "../errors.ts";
import { ContextError } from "./context_error.ts";
import { connectGit, type GitServices } from "./git_connection.ts";
import type { GitCommit } from "./git_objects.ts";
import { formatGitReference, type GitReference, isCommitId } from "./git_reference.ts";
import type { GitRepository } from "./git_repository.ts";
import { fetchPack, type GitOffer, readOffer } from "./git_upload_pack.ts";
import { withAttempts } from "./http_call.ts";
import { redactCredentials } from "./remote_url.ts";

/** A commit in the repository. */
export interface FetchedCommit extends GitCommit {
  readonly id: string;
  /** The object that the ref names: the commit, or the annotated tag on it. */
  readonly objectId: string;
  /** Full name of the ref; undefined when a commit was asked for. */
  readonly name: string | undefined;
}

/** What a ref stands for. */
export interface FoundRef {
  readonly id: string;
  readonly name: string | undefined;
}

/** Fetches the commit that `reference` names into `repository`. Throws ContextError for refs and commits that are not there. */
export async function fetchCommit(
  reference: GitReference,
  repository: GitRepository,
  services: GitServices,
): Promise<FetchedCommit> {
  const shown = redactCredentials(reference.remote);
  services.log.debug("Fetching git repository", { remote: shown });
  const call = { action: "fetch", url: reference.remote };
  const found = await withAttempts(call, services, () => fetchObject(reference, repository, services));
  const commit = await repository.commit(found.id);
  checkCommit(reference, commit.id, found.id);
  services.log.debug("Fetched git commit", { remote: shown, commit: commit.id });
  return { ...commit, objectId: found.id, name: found.name };
}

/**
 * What `ref` means among the refs on offer: a full name, else a tag, else a branch, else anything below refs/. Throws
 * ContextError when there is no such ref.
 */
export function findRef(reference: GitReference, { refs }: Pick<GitOffer, "refs">): FoundRef {
  const { ref, commit, fetchByCommit } = reference;
  if (fetchByCommit === true && commit !== undefined) return { id: commit, name: undefined };
  const wanted = ref ?? "HEAD";
  for (const name of [wanted, `refs/tags/${wanted}`, `refs/heads/${wanted}`, `refs/${wanted}`]) {
    const id = refs.get(name);
    if (id !== undefined) return { id, name: name === "HEAD" ? headName(refs, id) : name };
  }
  if (isCommitId(wanted)) return { id: wanted, name: undefined };
  const source = formatGitReference(reference);
  const isShort = /^[0-9a-f]{7,39}$/.test(wanted);
  const reason = ref === undefined ? "the repository has no default branch" : `the repository has no ref "${ref}"`;
  const hint = isShort ? "If that is a commit, give all its 40 digits" : undefined;
  throw new ContextError({ action: "fetch", source, reason }, { hint });
}

async function fetchObject(
  reference: GitReference,
  repository: GitRepository,
  services: GitServices,
): Promise<FoundRef> {
  const source = redactCredentials(reference.remote);
  await using connection = await connectGit(reference, services);
  const offer = await readOffer(connection, source);
  const found = findRef(reference, offer);
  try {
    await repository.addPack(async (path) => {
      const request = { wants: [found.id], isShallow: true, offer, source };
      await repository.markShallow(await fetchPack(connection, request, path));
    });
    return found;
  } catch (error: unknown) {
    const isRefused = found.name === undefined && error instanceof ContextError &&
      /not our ref|unadvertised/i.test(error.message);
    if (!isRefused) throw error;
    services.log.debug(`${errorText(error)}; fetching all refs`);
  }
  await fetchEverything({ reference, repository, id: found.id }, services);
  return found;
}

/** A server that gives no single commit gives all branches and tags, with their history. */
async function fetchEverything(
  { reference, repository, id }: {
    readonly reference: GitReference;
    readonly repository: GitRepository;
    readonly id: string;
  },
  services: GitServices,
): Promise<void> {
  const source = redactCredentials(reference.remote);
  await using connection = await connectGit(reference, services);
  const offer = await readOffer(connection, source);
  const wants = [...new Set([...offer.refs].filter(([name]) => !name.endsWith("^{}")).map(([, wanted]) => wanted))];
  await repository.addPack(async (path) => {
    await fetchPack(connection, { wants, isShallow: false, offer, source }, path);
  });
  if (await repository.has(id)) return;
  throw new ContextError({ action: "fetch", source, reason: `the repository has no commit ${id}` });
}

function headName(refs: ReadonlyMap<string, string>, id: string): string | undefined {
  const branches = [...refs].filter(([name, other]) => other === id && name.startsWith("refs/heads/"));
  return (branches.find(([name]) => /\/(?:main|master)$/.test(name)) ?? branches[0])?.[0];
}

function checkCommit(reference: GitReference, commit: string, object: string): void {
  const expected = reference.commit;
  if (expected === undefined || commit.startsWith(expected) || object.startsWith(expected)) return;
  const reason = `its commit is ${commit}, not ${expected}`;
  throw new ContextError({ action: "fetch", source: formatGitReference(reference), reason });
}
