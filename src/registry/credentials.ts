/**
 * Who we are at a registry: logins from docker's config.json, its helpers, and the environment, in order of strength.
 * Nothing is read before a registry asks, and each file and helper is asked once.
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
import type { Repository } from "./registry_options.ts";
import type { RegistryServices } from "./registry_services.ts";

/** What a credential search needs of the outside world. */
export type CredentialServices = Pick<
  RegistryServices,
  "env" | "credentialPaths" | "readTextFile" | "runProgram" | "log" | "signal"
>;

/** Finds logins. */
export class Credentials {
  readonly #services: CredentialServices;
  readonly #programAnswers = new Map<string, Promise<Credential | undefined>>();
  #configs: Promise<readonly DockerConfig[]> | undefined;

  constructor(services: CredentialServices) {
    this.#services = services;
  }

  /**
   * The logins that count for `repository`, the strongest first: DOCKER_AUTH_CONFIG, then each config.json (helper of
   * the host, `credsStore`, `auths` by longest path), then KANIKO_<HOST>_USER/_PASSWORD, then GitLab's CI_REGISTRY.
   * A helper that fails is a warning. Throws FormatError when a config.json is broken.
   */
  async find(repository: Repository): Promise<readonly Credential[]> {
    this.#configs ??= this.#readConfigs();
    const found: Credential[] = [];
    for (const config of await this.#configs) {
      const program = matchingProgram(config, repository) ?? config.credsStore;
      const answer = program === undefined ? undefined : await this.#askProgram(program, repository.registry);
      if (answer !== undefined) found.push(answer);
      found.push(...matchingAuths(config, repository).map((entry) => entry.credential));
    }
    const fromHost = hostVariables(this.#services.env, repository.registry);
    if (fromHost !== undefined) found.push(fromHost);
    const fromGitLab = gitLabVariables(this.#services.env, repository.registry);
    if (fromGitLab !== undefined) found.push(fromGitLab);
    return withoutRepeats(found);
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
  ];
  return [...new Set(paths.filter((path): path is string => path !== undefined && path !== ""))];
}

/** KANIKO_<HOST>_USER and _PASSWORD; host in upper case with underscores, then its parent domains. */
function hostVariables(env: Readonly<Record<string, string>>, registry: string): Credential | undefined {
  const labels = registry.split(".");
  for (let start = 0; start < Math.max(1, labels.length - 1); start++) {
    const name = labels.slice(start).join("_").toUpperCase().replace(/[^A-Z0-9]/g, "_");
    const username = env[`KANIKO_${name}_USER`];
    const password = env[`KANIKO_${name}_PASSWORD`];
    if (username && password) return { kind: "basic", username, password };
  }
  return undefined;
}

function gitLabVariables(env: Readonly<Record<string, string>>, registry: string): Credential | undefined {
  const { CI_REGISTRY, CI_REGISTRY_USER, CI_REGISTRY_PASSWORD } = env;
  if (CI_REGISTRY?.split("/")[0] !== registry || !CI_REGISTRY_USER || !CI_REGISTRY_PASSWORD) return undefined;
  return { kind: "basic", username: CI_REGISTRY_USER, password: CI_REGISTRY_PASSWORD };
}

function withoutRepeats(found: readonly Credential[]): readonly Credential[] {
  const seen = new Set<string>();
  return found.filter((credential) => {
    const key = JSON.stringify(credential);
    return seen.has(key) ? false : (seen.add(key), true);
  });
}
