import { deepEqual, throws } from "node:assert/strict";
import type { MountRequest } from "../../../src/build/build_request.ts";
import type { SecretSource } from "../../../src/build/secrets.ts";
import { EXECUTOR_FLAGS } from "../../../src/cli/executor_flags.ts";
import { mountRequest } from "../../../src/cli/mount_flags.ts";
import { parseFlags } from "../../../src/cli/parse_flags.ts";

function request(args: readonly string[], env: Readonly<Record<string, string>> = {}): MountRequest {
  const parsed = parseFlags(args, EXECUTOR_FLAGS, { name: "executor", summary: "", positionals: [] });
  if (parsed.kind === "help") throw new TypeError("no help was asked for");
  return mountRequest(parsed.values, env);
}

const SECRETS: readonly (readonly [text: string, source: SecretSource])[] = [
  ["id=x", { kind: "variable or file", name: "x" }],
  ["id=x,src=/f", { kind: "file", path: "/f" }],
  ["source=f,id=x", { kind: "file", path: "f" }],
  ["id=x,env=E", { kind: "variable", name: "E" }],
  ["id=x,env=E,src=f", { kind: "variable", name: "E" }],
  ["type=env,id=x", { kind: "variable", name: "x" }],
  ["type=env,id=x,src=E", { kind: "variable", name: "E" }],
  ["type=file,id=x", { kind: "file", path: "x" }],
];

for (const [text, source] of SECRETS) {
  Deno.test(`mountRequest understands --secret=${text}`, () => {
    deepEqual([...request([`--secret=${text}`]).secrets], [["x", source]]);
  });
}

const FAULTS: readonly (readonly [flag: string, message: RegExp])[] = [
  ["--secret=x", /"x" is none of its parts/],
  ["--secret=src=f", /it has no id/],
  ["--secret=id=x,type=vault", /there is no type "vault"/],
  ["--secret=id=x,type=file,env=E", /a variable is no file/],
  ["--secret=id=x,constructor=y", /"constructor=y" is none of its parts/],
  ["--ssh==s", /it has no id/],
  ["--ssh=default", /SSH_AUTH_SOCK names no agent/],
];

for (const [flag, message] of FAULTS) {
  Deno.test(`mountRequest throws when told ${flag}`, () => throws(() => request([flag]), { code: "usage", message }));
}

Deno.test("mountRequest takes agents from the flag or the environment, later flags of one id winning", () => {
  const { agents } = request(["--ssh=default", "--ssh=k=a", "--ssh=k=/b=c"], { SSH_AUTH_SOCK: "/agent" });
  deepEqual([...agents], [["default", "/agent"], ["k", "/b=c"]]);
});
