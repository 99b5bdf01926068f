/** `login`: keeps a user name and a password for a registry, as kaniko's and docker's login do. */
import { DOCKER_HUB, parseReference } from "../oci/reference.ts";
import { storeLogin } from "../registry/docker_login.ts";
import { runCredentialProgram } from "../registry/credential_program.ts";
import type { Command, CommandCall } from "./command.ts";
import { UsageError } from "./flag.ts";
import { LOG_FLAGS } from "./log_flags.ts";

/** Writes the login into config.json. No registry is asked. */
export const LOGIN_COMMAND: Command = {
  name: "login",
  summary: "Keeps the login for a registry in $DOCKER_CONFIG/config.json.",
  flags: [
    { name: "username", short: "u", kind: "text", summary: "User name" },
    { name: "password", short: "p", kind: "text", summary: "Password; other processes can see it, so prefer stdin" },
    { name: "password-stdin", kind: "boolean", initial: false, summary: "Read the password from standard input" },
    ...LOG_FLAGS,
  ],
  positionals: ["<registry>"],
  run: runLogin,
};

async function runLogin({ values, positionals, process, log }: CommandCall): Promise<number> {
  const username = values.text("username");
  if (username === "") throw new UsageError("Cannot log in: there is no --username");
  if (username.includes(":")) throw new UsageError("Cannot log in: a user name has no colon");
  const password = await readPassword(
    { given: values.text("password"), isStdin: values.isSet("password-stdin") },
    process,
  );
  const { signal, env } = process;
  const login = { registry: registryHost(positionals[0] ?? ""), username, password };
  const place = await storeLogin(configPath(env), login, { runProgram: runCredentialProgram, signal });
  log.info(`The login for ${login.registry} is kept in ${place}`);
  return 0;
}

async function readPassword(
  { given, isStdin }: { readonly given: string; readonly isStdin: boolean },
  process: CommandCall["process"],
): Promise<string> {
  if (isStdin && given !== "") {
    throw new UsageError("Cannot log in: --password and --password-stdin exclude each other");
  }
  const password = isStdin ? (await process.readIn()).replace(/\r?\n$/, "") : given;
  if (password !== "") return password;
  throw new UsageError("Cannot log in: the password is empty", { hint: "Give it on standard input, --password-stdin" });
}

function registryHost(word: string): string {
  const host = word.replace(/^https?:\/\//, "").replace(/\/(?:v[12]\/?)?$/, "");
  if (host === "docker.io" || host === DOCKER_HUB || host === "registry-1.docker.io") return DOCKER_HUB;
  try {
    // The host as a reference would have it; a bare word would be a repository there.
    const { registry, repository } = parseReference(`${host}/x`);
    if (registry === host && repository === "x") return host;
  } catch {
    // The reason would be about a reference that the reader has not written.
  }
  throw new UsageError(`Cannot log in to "${word}": expected a registry's host, such as registry.example.com:5000`);
}

function configPath(env: Readonly<Record<string, string>>): string {
  if (env.DOCKER_CONFIG) return `${env.DOCKER_CONFIG.replace(/\/+$/, "")}/config.json`;
  if (env.HOME) return `${env.HOME}/.docker/config.json`;
  throw new UsageError("Cannot log in: neither DOCKER_CONFIG nor HOME says where config.json is");
}
