/** Secrets for RUN --mount=type=secret: read once, before anything is built, and kept in memory alone. */
import { ContextError } from "../context/context_error.ts";
import { errorText } from "../errors.ts";
import type { Services } from "./services.ts";

/** Where a secret's value is. */
export type SecretSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "variable"; readonly name: string }
  /** The variable of that name if it is set, else the file. */
  | { readonly kind: "variable or file"; readonly name: string };

/** Values by id. */
export type Secrets = ReadonlyMap<string, Uint8Array>;

/** BuildKit's limit. */
const MAX_SECRET_BYTES = 500 * 1024;

/** Reads all `sources`, and has the log conceal their values. Throws ContextError for one that is not there or too large. */
export async function readSecrets(
  sources: ReadonlyMap<string, SecretSource>,
  services: Pick<Services, "env" | "currentDirectory" | "conceal">,
): Promise<Secrets> {
  const secrets = new Map<string, Uint8Array>();
  for (const [id, source] of sources) {
    const value = await readSecret(id, source, services);
    if (value.length > MAX_SECRET_BYTES) {
      throw unreadable(id, `it has ${value.length} bytes, and the limit is ${MAX_SECRET_BYTES}`);
    }
    services.conceal(new TextDecoder().decode(value));
    secrets.set(id, value);
  }
  return secrets;
}

async function readSecret(
  id: string,
  source: SecretSource,
  { env, currentDirectory }: Pick<Services, "env" | "currentDirectory">,
): Promise<Uint8Array> {
  if (source.kind !== "file") {
    const value = env[source.name];
    if (value !== undefined) return new TextEncoder().encode(value);
    if (source.kind === "variable") throw unreadable(id, `the environment variable ${source.name} is not set`);
  }
  const path = source.kind === "file" ? source.path : source.name;
  try {
    return await Deno.readFile(path.startsWith("/") ? path : `${currentDirectory}/${path}`);
  } catch (error: unknown) {
    const reason = error instanceof Deno.errors.NotFound ? `there is no file "${path}"` : errorText(error);
    const other = source.kind === "file" ? "" : `the environment variable ${source.name} is not set, and `;
    throw unreadable(id, other + reason, error);
  }
}

function unreadable(id: string, reason: string, cause?: unknown): ContextError {
  return new ContextError({ action: "read secret", source: id, reason }, { cause });
}
