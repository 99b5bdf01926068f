/** Docker's config.json: which logins it has and for which registries or repositories they count. */
import * as z from "zod/mini";
import { FormatError } from "../errors.ts";
import { checkDocument, decodeJson, type DocumentKind } from "../oci/json_document.ts";
import { DOCKER_HUB } from "../oci/reference.ts";
import type { Credential } from "./credential_program.ts";
import type { Repository } from "./registry_options.ts";

/** The parts of a config.json that say who we are. */
export interface DockerConfig {
  /** Where it came from: a path, or the name of a variable. */
  readonly origin: string;
  readonly auths: readonly AuthEntry[];
  /** Helper by key, such as "gcr.io". */
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore?: string;
}

/** One login and what it counts for; an empty `path` is the whole registry. */
export interface AuthEntry {
  readonly registry: string;
  readonly path: string;
  readonly credential: Credential;
}

/** Docker Hub's historical name, by which helpers and old config files know it. */
export const DOCKER_HUB_SERVER = "https://index.docker.io/v1/";

/** Reads a config.json. Entries without a login are skipped. Throws FormatError naming `origin` on anything broken. */
export function parseDockerConfig(text: string, origin: string): DockerConfig {
  const kind: DocumentKind = { name: `credentials in ${origin}`, maxBytes: MAX_DOCKER_CONFIG_BYTES };
  const document = checkDocument(CONFIG_SCHEMA, decodeJson(new TextEncoder().encode(text), kind), kind);
  const auths: AuthEntry[] = [];
  for (const [key, entry] of Object.entries(document.auths)) {
    const credential = entryCredential(key, entry, origin);
    if (credential !== undefined) auths.push({ ...parseKey(key), credential });
  }
  const credHelpers = new Map(Object.entries(document.credHelpers));
  return document.credsStore === undefined || document.credsStore === ""
    ? { origin, auths, credHelpers }
    : { origin, auths, credHelpers, credsStore: document.credsStore };
}

/** The logins of `config.auths` that count for `repository`, the longest path first. */
export function matchingAuths(config: DockerConfig, repository: Repository): readonly AuthEntry[] {
  return config.auths
    .filter((entry) =>
      entry.registry === repository.registry &&
      (entry.path === "" || entry.path === repository.repository ||
        repository.repository.startsWith(`${entry.path}/`))
    )
    .toSorted((a, b) => b.path.length - a.path.length);
}

/** The helper that `config.credHelpers` names for `repository`: by its full name, then by its host. */
export function matchingProgram(config: DockerConfig, repository: Repository): string | undefined {
  let host: string | undefined;
  for (const [key, program] of config.credHelpers) {
    const { registry, path } = parseKey(key);
    if (registry !== repository.registry) continue;
    if (path === repository.repository) return program;
    if (path === "") host ??= program;
  }
  return host;
}

/** What a helper is asked for: the registry's host, but Docker Hub by its historical name. */
export function programServerAddress(registry: string): string {
  return registry === DOCKER_HUB ? DOCKER_HUB_SERVER : registry;
}

/** A key of `auths`: host, or URL, with an optional path; the API's own /v1/ and /v2/ are no path. */
function parseKey(key: string): { registry: string; path: string } {
  const [host = "", ...rest] = key.trim().replace(/^https?:\/\//i, "").split("/");
  const path = rest.filter((part) => part !== "").join("/");
  const lower = host.toLowerCase();
  const isHub = lower === "docker.io" || lower === "registry-1.docker.io" || lower === DOCKER_HUB;
  return { registry: isHub ? DOCKER_HUB : lower, path: path === "v1" || path === "v2" ? "" : path };
}

function entryCredential(key: string, entry: z.infer<typeof ENTRY_SCHEMA>, origin: string): Credential | undefined {
  if (entry.registrytoken) return { kind: "registry-token", token: entry.registrytoken };
  if (entry.identitytoken) return { kind: "identity-token", token: entry.identitytoken };
  if (entry.username && entry.password) {
    return { kind: "basic", username: entry.username, password: entry.password };
  }
  if (!entry.auth) return undefined;
  const decoded = decodeBase64(entry.auth);
  const colon = decoded?.indexOf(":") ?? -1;
  if (decoded === undefined || colon < 0) {
    throw new FormatError(`Cannot read credentials in ${origin}: "auth" of "${key}" is not base64 of "user:password"`);
  }
  const username = decoded.slice(0, colon);
  const password = decoded.slice(colon + 1).replace(/\0+$/, "");
  return username === "" && password === "" ? undefined : { kind: "basic", username, password };
}

function decodeBase64(text: string): string | undefined {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text.trim()), (char) => char.charCodeAt(0)));
  } catch {
    // Not base64: the caller reports it with the entry's name, never with its text.
    return undefined;
  }
}

const MAX_DOCKER_CONFIG_BYTES = 4 * 1024 * 1024;
const TEXT = z.exactOptional(z.string());
const ENTRY_SCHEMA = z.object({
  auth: TEXT,
  username: TEXT,
  password: TEXT,
  identitytoken: TEXT,
  registrytoken: TEXT,
});
const CONFIG_SCHEMA = z.object({
  auths: z._default(z.record(z.string(), ENTRY_SCHEMA), {}),
  credHelpers: z._default(z.record(z.string(), z.string()), {}),
  credsStore: TEXT,
});
