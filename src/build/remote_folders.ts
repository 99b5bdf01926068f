/** What a build fetches from elsewhere, each thing once, in folders of the work folder: sources of ADD, named contexts. */
import { type NamedFolder, openNamedFolder } from "../context/context.ts";
import { ContextError } from "../context/context_error.ts";
import { fetchGit } from "../context/fetch_git.ts";
import { fetchUrl } from "../context/fetch_url.ts";
import { systemFetchServices } from "../context/fetch_services.ts";
import type { GitReference } from "../context/git_reference.ts";
import { redactUrl } from "../context/remote_url.ts";
import type { Digest } from "../oci/digest.ts";
import { decompressAny } from "../layer/compression.ts";
import type { NamedFiles } from "../plan/named_contexts.ts";
import type { RemoteSource } from "../plan/remote_source.ts";
import { isArchive } from "../rootfs/archive_probe.ts";
import { copyInto, type CopyRequest, type FetchedSource } from "../rootfs/copy_into.ts";
import type { CopyTree } from "../rootfs/copy_source.ts";
import { Rootfs } from "../rootfs/rootfs.ts";
import { baseName, joinPath, parentPath, type RawPath, rawPath } from "../sys/raw_path.ts";
import type { BuildSession } from "./build_session.ts";

const ROOT = rawPath("/");
/** ADD of one archive into the root of a context. */
const UNPACKING: CopyRequest = {
  instruction: "ADD",
  patterns: [],
  inlineFiles: [],
  destination: "/",
  exclude: [],
  unpack: true,
  parents: false,
};

type Session = Pick<BuildSession, "work" | "services" | "hasher">;

/** Fetches when first asked. What failed is not kept. */
export class RemoteFolders {
  readonly #known = new Map<string, Promise<unknown>>();

  /** The source of an ADD, ready to be copied. Throws ContextError, redacted. */
  async fetched(remote: RemoteSource, session: Session): Promise<FetchedSource> {
    const { position } = remote;
    if (remote.kind === "url") {
      const path = await this.#url(remote.url, remote.checksum, session);
      const tree = { root: parentPath(path), keepsOwner: false };
      return { position, tree, path: joinPath(ROOT, baseName(path)), unpack: remote.unpack };
    }
    const root = await this.#git(remote.reference, session);
    return { position, tree: { root, keepsOwner: false }, path: ROOT, unpack: false };
  }

  /** The files of a named context. Throws ContextError, redacted. */
  async named(files: NamedFiles, session: Session): Promise<CopyTree> {
    switch (files.kind) {
      case "folder": {
        const { root, ignore } = await this.#once(`folder ${files.path}`, () => openFolder(files.path, session));
        return { root, filter: ignore, keepsOwner: false };
      }
      case "url":
        return { root: await this.#archive(files.url, session), keepsOwner: false };
      case "git":
        return { root: await this.#git(files.reference, session), keepsOwner: false };
    }
  }

  #url(url: string, checksum: Digest | undefined, session: Session): Promise<RawPath> {
    return this.#once(`url ${checksum ?? ""} ${url}`, async () => {
      const folder = await newFolder("file-", session);
      session.services.log.debug("Fetching", { url: redactUrl(url) });
      return rawPath((await fetchUrl({ url, checksum }, folder, systemFetchServices(session.services))).path);
    });
  }

  #git(reference: GitReference, session: Session): Promise<RawPath> {
    return this.#once(`git ${JSON.stringify(reference)}`, async () => {
      const folder = await newFolder("git-", session);
      return (await fetchGit(reference, folder, systemFetchServices(session.services))).root;
    });
  }

  #archive(url: string, session: Session): Promise<RawPath> {
    return this.#once(`archive ${url}`, async () => {
      const path = await this.#url(url, undefined, session);
      const { log, signal } = session.services;
      if (!await isArchive(path, decompressAny, signal)) {
        const reason = "it is not a tar, plain or compressed";
        throw new ContextError({ action: "open build context", source: redactUrl(url), reason });
      }
      const folder = rawPath(await newFolder("archive-", session));
      const tree = { root: parentPath(path), keepsOwner: false };
      const fetched = [{ position: 0, tree, path: joinPath(ROOT, baseName(path)), unpack: true }];
      const { hasher } = session;
      const known = new Map();
      const options = { hasher, known, decompress: decompressAny, log, signal, implicitTimeNs: 0n, fetched };
      await copyInto(UNPACKING, { root: folder, keepsOwner: false }, new Rootfs(folder, []), options);
      return folder;
    });
  }

  #once<T>(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.#known.get(key) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const made = make();
    this.#known.set(key, made);
    made.catch(() => this.#known.delete(key));
    return made;
  }
}

async function openFolder(path: string, { services }: Session): Promise<NamedFolder> {
  return await openNamedFolder(path, services.currentDirectory);
}

async function newFolder(prefix: string, { work }: Session): Promise<string> {
  const folder = await Deno.makeTempDir({ dir: work.path, prefix });
  await Deno.chmod(folder, 0o755);
  return folder;
}
