/** Keeps a login in docker's config.json, where builds and other tools find it. */
import { errorText, FormatError, isBuilderError } from "../errors.ts";
import { DOCKER_HUB } from "../oci/reference.ts";
import { storeWithProgram } from "./credential_program.ts";
import { DOCKER_HUB_SERVER, matchingProgram, parseDockerConfig } from "./docker_config.ts";
import type { RegistryServices } from "./registry_services.ts";

/** A login to keep. */
export interface Login {
  /** As in references: "index.docker.io", "127.0.0.1:5000". */
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

/**
 * Keeps `login` in the config.json at `path`: in the helper that the file names for the registry, or else in the file
 * itself, which keeps everything else that it holds. The file is replaced as a whole, readable by its owner alone. Says
 * where the login is now. Throws FormatError for a file that is broken or cannot be written.
 */
export async function storeLogin(
  path: string,
  login: Login,
  services: Pick<RegistryServices, "runProgram" | "signal">,
): Promise<string> {
  const text = await readIfThere(path);
  const config = parseDockerConfig(text === "" ? "{}" : text, path);
  const repository = { registry: login.registry, repository: "" };
  const serverAddress = login.registry === DOCKER_HUB ? DOCKER_HUB_SERVER : login.registry;
  const program = matchingProgram(config, repository) ?? config.credsStore;
  if (program !== undefined) {
    await storeWithProgram(program, { ...login, serverAddress }, services);
    return `docker-credential-${program}`;
  }
  const document: unknown = text === "" ? {} : JSON.parse(text);
  await replaceFile(path, `${JSON.stringify(withLogin(document, serverAddress, login), undefined, 2)}\n`);
  return path;
}

function withLogin(document: unknown, serverAddress: string, { username, password }: Login): unknown {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  const auth = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return { ...members(document), auths: { ...members(members(document).auths), [serverAddress]: { auth } } };
}

function members(value: unknown): { readonly auths?: unknown } {
  return typeof value === "object" && value !== null ? value : {};
}

async function readIfThere(path: string): Promise<string> {
  try {
    return (await Deno.readTextFile(path)).trim();
  } catch (error: unknown) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw new FormatError(`Cannot read credentials in ${path}: ${errorText(error)}`, { cause: error });
  }
}

/** Writes a neighbour with mode 0600 and renames it; a link is followed, so that its target is replaced. */
async function replaceFile(path: string, text: string): Promise<void> {
  try {
    const slash = path.lastIndexOf("/");
    if (slash > 0) await Deno.mkdir(path.slice(0, slash), { recursive: true, mode: 0o700 });
    const target = await Deno.realPath(path).catch(() => path); // it may not be there yet
    const temporary = `${target}.${crypto.randomUUID()}`;
    try {
      await Deno.writeTextFile(temporary, text, { createNew: true, mode: 0o600 });
      await Deno.rename(temporary, target);
    } catch (error: unknown) {
      await Deno.remove(temporary).catch(() => {}); // it may not have been made
      throw error;
    }
  } catch (error: unknown) {
    if (isBuilderError(error)) throw error;
    throw new FormatError(`Cannot write credentials to ${path}: ${errorText(error)}`, { cause: error });
  }
}
