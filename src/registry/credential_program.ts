/** Docker's credential helpers: programs `docker-credential-<name>` that print a login for a registry as JSON. */
import * as z from "zod/mini";
import { FormatError } from "../errors.ts";
import { checkDocument, decodeJson, type DocumentKind } from "../oci/json_document.ts";

/** A login. An identity token is exchanged for access tokens; a registry token is one. */
export type Credential =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  | { readonly kind: "identity-token"; readonly token: string }
  | { readonly kind: "registry-token"; readonly token: string };

/** How a helper program ended. */
export interface ProgramResult {
  readonly success: boolean;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/** Runs `docker-credential-<name> <action>` with `input` on stdin. Rejects when the program cannot be started. */
export type ProgramRunner = (
  program: string,
  input: string,
  signal: AbortSignal,
  action?: "get" | "store",
) => Promise<ProgramResult>;

/**
 * The login that helper `name` has for `serverAddress`, or undefined when it has none. Throws FormatError when the
 * helper's name is not one, and when it fails or answers with something else than a login.
 */
export async function credentialFromProgram(
  name: string,
  serverAddress: string,
  services: { readonly runProgram: ProgramRunner; readonly signal: AbortSignal },
): Promise<Credential | undefined> {
  if (!/^[A-Za-z0-9._-]+$/.test(name)) throw new FormatError(`Cannot use credential helper "${name}": not a name`);
  const program = `docker-credential-${name}`;
  let result: ProgramResult;
  try {
    result = await services.runProgram(program, serverAddress, services.signal);
  } catch (error: unknown) {
    throw new FormatError(`Cannot run credential helper "${program}" for ${serverAddress}`, { cause: error });
  }
  if (!result.success) {
    const text = new TextDecoder().decode(result.stdout.subarray(0, 1000)) +
      new TextDecoder().decode(result.stderr.subarray(0, 1000));
    if (/credentials not found|no credentials|not logged in/i.test(text)) return undefined;
    throw new FormatError(`Credential helper "${program}" failed for ${serverAddress}: ${firstLine(text)}`);
  }
  const kind: DocumentKind = { name: `answer of "${program}"`, maxBytes: MAX_ANSWER_BYTES };
  const answer = checkDocument(ANSWER_SCHEMA, decodeJson(result.stdout, kind), kind);
  if (answer.Secret === "") return undefined;
  if (answer.Username === "<token>") return { kind: "identity-token", token: answer.Secret };
  return { kind: "basic", username: answer.Username, password: answer.Secret };
}

/** Hands a login to helper `name` to keep. Throws FormatError when it cannot be run or refuses. */
export async function storeWithProgram(
  name: string,
  login: { readonly serverAddress: string; readonly username: string; readonly password: string },
  services: { readonly runProgram: ProgramRunner; readonly signal: AbortSignal },
): Promise<void> {
  const { serverAddress, username, password } = login;
  const program = `docker-credential-${name}`;
  if (!/^[A-Za-z0-9._-]+$/.test(name)) throw new FormatError(`Cannot use credential helper "${name}": not a name`);
  const input = JSON.stringify({ ServerURL: serverAddress, Username: username, Secret: password });
  let result: ProgramResult;
  try {
    result = await services.runProgram(program, input, services.signal, "store");
  } catch (error: unknown) {
    throw new FormatError(`Cannot run credential helper "${program}" for ${serverAddress}`, { cause: error });
  }
  if (result.success) return;
  const text = new TextDecoder().decode(result.stdout.subarray(0, 1000)) +
    new TextDecoder().decode(result.stderr.subarray(0, 1000));
  throw new FormatError(`Credential helper "${program}" does not keep ${serverAddress}: ${firstLine(text)}`);
}

/** Runs a helper program found on PATH. */
export async function runCredentialProgram(
  program: string,
  input: string,
  signal: AbortSignal,
  action: "get" | "store" = "get",
): Promise<ProgramResult> {
  const command = new Deno.Command(program, {
    args: [action],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal,
  });
  const child = command.spawn();
  const writer = child.stdin.getWriter();
  // A helper may exit without reading; its status says what happened.
  await writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  const { success, stdout, stderr } = await child.output();
  return { success, stdout, stderr };
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0]?.slice(0, 200) ?? "";
}

const MAX_ANSWER_BYTES = 1024 * 1024;
const ANSWER_SCHEMA = z.object({ Username: z._default(z.string(), ""), Secret: z._default(z.string(), "") });
