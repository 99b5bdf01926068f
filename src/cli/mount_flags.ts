/** `--secret` and `--ssh`: what RUN --mount may take from outside the build. */
import type { MountRequest } from "../build/build_request.ts";
import type { SecretSource } from "../build/secrets.ts";
import { type FlagValues, UsageError } from "./flag.ts";

const SECRET_FORM = "id=NAME[,src=FILE][,env=VARIABLE][,type=file|env]";
const SECRET_KEYS: Readonly<Record<string, keyof SecretWords>> = {
  id: "id",
  src: "src",
  source: "src",
  env: "env",
  type: "type",
};

/** What the flags of a command line give. Throws UsageError. */
export function mountRequest(values: FlagValues, env: Readonly<Record<string, string>>): MountRequest {
  return {
    secrets: new Map(values.list("secret").map(parseSecret)),
    agents: new Map(values.list("ssh").map((text) => parseAgent(text, env))),
  };
}

interface SecretWords {
  id?: string;
  src?: string;
  env?: string;
  type?: string;
}

/** kaniko's order: a named variable, a named file, a variable called as the secret, a file called so. */
function parseSecret(text: string): readonly [id: string, source: SecretSource] {
  const words: SecretWords = {};
  for (const field of text.split(",")) {
    const equals = field.indexOf("=");
    const name = field.slice(0, Math.max(0, equals)).trim().toLowerCase();
    const key = Object.hasOwn(SECRET_KEYS, name) ? SECRET_KEYS[name] : undefined;
    if (key === undefined) throw badSecret(text, `"${field}" is none of its parts`);
    words[key] = field.slice(equals + 1);
  }
  const { id, env, type } = words;
  if (!id) throw badSecret(text, "it has no id");
  if (type !== undefined && type !== "file" && type !== "env") throw badSecret(text, `there is no type "${type}"`);
  if (env && type === "file") throw badSecret(text, "a variable is no file");
  return [id, secretSource(id, words)];
}

function secretSource(id: string, { src, env, type }: Omit<SecretWords, "id">): SecretSource {
  if (env) return { kind: "variable", name: env };
  if (src) return type === "env" ? { kind: "variable", name: src } : { kind: "file", path: src };
  if (type === "env") return { kind: "variable", name: id };
  return type === "file" ? { kind: "file", path: id } : { kind: "variable or file", name: id };
}

function badSecret(text: string, reason: string): UsageError {
  return new UsageError(`Cannot use "${text}" for --secret: ${reason}`, { hint: `Write ${SECRET_FORM}` });
}

/** The socket of an agent, absolute or relative; without one, that of SSH_AUTH_SOCK. Key files are for an agent to hold. */
function parseAgent(text: string, env: Readonly<Record<string, string>>): readonly [id: string, socket: string] {
  const equals = text.indexOf("=");
  const id = equals < 0 ? text : text.slice(0, equals);
  const socket = equals < 0 ? env.SSH_AUTH_SOCK ?? "" : text.slice(equals + 1);
  if (id === "") {
    throw new UsageError(`Cannot use "${text}" for --ssh: it has no id`, { hint: "Write default[=SOCKET]" });
  }
  if (socket === "") {
    throw new UsageError(`Cannot use "${text}" for --ssh: SSH_AUTH_SOCK names no agent`, {
      hint: `Start ssh-agent, or write ${id}=SOCKET`,
    });
  }
  return [id, socket];
}
