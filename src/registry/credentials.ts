/**
 * Who we are at a registry: logins from docker's config.json, its helpers, the environment and the clouds, in order of
 * strength. Nothing is read before a registry asks, and each file and helper is asked once.
 */
import { errorText, FormatError } from "../errors.ts";
import { type Credential, credentialFromProgram } from "./credential_program.ts";
import {
  type DockerConfig,
  matchingAuths,
  matchingProgram,
  parseDockerConfig,
  programServerAddress,
} from "./docker_config.ts";
import { CREDENTIAL_HELPERS, type CredentialHelper, type Repository } from "./registry_options.ts";
import type { RegistryServices } from "./registry_services.ts";

/** What a credential search needs of the outside world. */
export type CredentialServices = Pick<
  RegistryServices,
  "env" | "credentialPaths" | "readTextFile" | "runProgram" | "log" | "signal"
>;

/** A login, and in words where it came from. */
export interface FoundCredential {
  readonly credential: Credential;
  readonly origin: string;
}

/** The built-in logins of the clouds' own registries. */
export interface CloudLogins {
  /** The login for `registry`, or undefined where no cloud knows it. A failure is told in `notes`, and is no error. */
  find(registry: string, helpers: ReadonlySet<CredentialHelper>, notes: string[]): Promise<FoundCredential | undefined>;
}

/** Which built-in sources are asked. */
export interface CredentialOptions {
  readonly helpers: ReadonlySet<CredentialHelper>;
  readonly clouds?: CloudLogins;
}

/** Finds logins. */
export class Credentials {
  readonly #services: CredentialServices;
  readonly #options: CredentialOptions;
  readonly #notes = new Map<string, readonly string[]>();
  readonly #programAnswers = new Map<string, Promise<Credential | undefined>>();
  #configs: Promise<readonly DockerConfig[]> | undefined;

  constructor(services: CredentialServices, options: CredentialOptions = { helpers: new Set(CREDENTIAL_HELPERS) }) {
    this.#services = services;
    this.#options = options;
  }

  /**
   * The logins that count for `repository`, the strongest first: DOCKER_AUTH_CONFIG, then each config.json (helper of
   * the host, `credsStore`, `auths` by longest path), then KANIKO_<HOST>_USER/_PASSWORD, the cloud whose registry it is,
   * and GitLab's CI_REGISTRY. A helper that fails is a warning. Throws FormatError when a config.json is broken.
   */
  async find(repository: Repository): Promise<readonly Credential[]> {
    const found: FoundCredential[] = [];
    const notes: string[] = [];
    this.#configs ??= this.#readConfigs();
    for (const config of await this.#configs) found.push(...await this.#fromConfig(config, repository));
    const { helpers, clouds } = this.#options;
    const { registry } = repository;
    if (helpers.has("env")) found.push(...hostVariables(this.#services.env, registry));
    const fromCloud = await clouds?.find(registry, helpers, notes);
    if (fromCloud !== undefined) found.push(fromCloud);
    if (helpers.has("gitlab")) found.push(...gitLabVariables(this.#services.env, registry));
    const different = withoutRepeats(found);
    this.#notes.set(registry, [...different.map(({ origin }) => origin), ...notes]);
    return different.map(({ credential }) => credential);
  }

  /** In words: where the last search for a repository of `registry` found logins, and what failed. No secrets. */
  tried(registry: string): readonly string[] {
    return this.#notes.get(registry) ?? [];
  }

  async #fromConfig(config: DockerConfig, repository: Repository): Promise<readonly FoundCredential[]> {
    const program = matchingProgram(config, repository) ?? config.credsStore;
    const answer = program === undefined ? undefined : await this.#askProgram(program, repository.registry);
    const entries = matchingAuths(config, repository).map(({ credential, path, registry }) => {
      return { credential, origin: `${config.origin} for ${registry}${path === "" ? "" : `/${path}`}` };
    });
    if (answer === undefined) return entries;
    return [{ credential: answer, origin: `docker-credential-${program}` }, ...entries];
  }

  async #readConfigs(): Promise<readonly DockerConfig[]> {
    const configs: DockerConfig[] = [];
    const inline = this.#services.env["DOCKER_AUTH_CONFIG"];
    if (inline) configs.push(parseDockerConfig(inline, "DOCKER_AUTH_CONFIG"));
    for (const path of new Set(this.#services.credentialPaths)) {
      const text = await this.#readConfig(path);
      if (text !== undefined && text.trim() !== "") configs.push(parseDockerConfig(text, path));
    }
    return configs;
  }

  async #readConfig(path: string): Promise<string | undefined> {
    try {
      return await this.#services.readTextFile(path);
    } catch (error: unknown) {
      throw new FormatError(`Cannot read credentials in ${path}: ${errorText(error)}`, { cause: error });
    }
  }

  #askProgram(name: string, registry: string): Promise<Credential | undefined> {
    const key = `${name} ${registry}`;
    const known = this.#programAnswers.get(key);
    if (known !== undefined) return known;
    const answer = credentialFromProgram(name, programServerAddress(registry), this.#services)
      .catch((error: unknown) => {
        this.#services.signal.throwIfAborted();
        this.#services.log.warn(errorText(error));
        return undefined;
      });
    this.#programAnswers.set(key, answer);
    return answer;
  }
}

/**
 * Where a config.json may lie for a process with this environment, the strongest first: DOCKER_CONFIG, HOME, kaniko's
 * own folder, then podman's places.
 */
export function credentialPaths(env: Readonly<Record<string, string>>): readonly string[] {
  const { DOCKER_CONFIG, HOME, REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR, XDG_CONFIG_HOME } = env;
  const paths = [
    DOCKER_CONFIG && `${DOCKER_CONFIG}/config.json`,
    HOME && `${HOME}/.docker/config.json`,
    `${env["KANIKO_DIR"] || "/kaniko"}/.docker/config.json`,
    REGISTRY_AUTH_FILE,
    XDG_RUNTIME_DIR && `${XDG_RUNTIME_DIR}/containers/auth.json`,
    XDG_CONFIG_HOME && `${XDG_CONFIG_HOME}/containers/auth.json`,
    !XDG_CONFIG_HOME && HOME && `${HOME}/.config/containers/auth.json`,
  ];
  return [...new Set(paths.filter((path): path is string => typeof path === "string" && path !== ""))];
}

/** KANIKO_<HOST>_USER and _PASSWORD; host in upper case with underscores, then its parent domains. */
function hostVariables(env: Readonly<Record<string, string>>, registry: string): readonly FoundCredential[] {
  const labels = registry.split(".");
  for (let start = 0; start < Math.max(1, labels.length - 1); start++) {
    const name = labels.slice(start).join("_").toUpperCase().replace(/[^A-Z0-9]/g, "_");
    const username = env[`KANIKO_${name}_USER`];
    const password = env[`KANIKO_${name}_PASSWORD`];
    if (username && password) {
      return [{ credential: { kind: "basic", username, password }, origin: `KANIKO_${name}_USER` }];
    }
  }
  return [];
}

function gitLabVariables(env: Readonly<Record<string, string>>, registry: string): readonly FoundCredential[] {
  const { CI_REGISTRY, CI_REGISTRY_USER, CI_REGISTRY_PASSWORD } = env;
  if (CI_REGISTRY?.split("/")[0] !== registry || !CI_REGISTRY_USER || !CI_REGISTRY_PASSWORD) return [];
  const credential: Credential = { kind: "basic", username: CI_REGISTRY_USER, password: CI_REGISTRY_PASSWORD };
  return [{ credential, origin: "CI_REGISTRY_USER" }];
}

function withoutRepeats(found: readonly FoundCredential[]): readonly FoundCredential[] {
  const seen = new Set<string>();
  return found.filter(({ credential }) => {
    const key = JSON.stringify(credential);
    return seen.has(key) ? false : (seen.add(key), true);
  });
}
