import { deepEqual, throws } from "node:assert/strict";
import type { CopySource, RunMount } from "../../../src/plan/plan.ts";
import { planMounts } from "../../../src/plan/plan_mounts.ts";
import { parseOne } from "../../support/plan_request.ts";

const CONTEXT: CopySource = { kind: "context" };
const STAGE: CopySource = { kind: "stage", stageIndex: 0 };
const SECRET = { isRequired: false, mode: 0o400, uid: 0, gid: 0 } as const;
const CACHE = {
  source: "/",
  isReadOnly: false,
  sharing: "shared",
  mode: 0o755,
  uid: 0,
  gid: 0,
} as const;

function plan(flags: string): readonly RunMount[] {
  return planMounts(parseOne("RUN", `RUN ${flags} x`), {
    workdir: "/w",
    expand: (value) => value,
    source: (from) => from === undefined ? CONTEXT : STAGE,
  });
}

const CASES: readonly (readonly [flags: string, mounts: readonly RunMount[]])[] = [
  ["--mount=target=t", [{ kind: "bind", target: "/w/t", from: CONTEXT, source: "/", isReadOnly: true }]],
  ["--mount=source=a", [{ kind: "bind", target: "/w", from: CONTEXT, source: "/a", isReadOnly: true }]],
  ["--mount=target=/t/../u/,source=../a/./b,from=s,rw", [
    { kind: "bind", target: "/u", from: STAGE, source: "/a/b", isReadOnly: false },
  ]],
  ["--mount=type=cache,target=c/", [{ kind: "cache", target: "/w/c", id: "/c", ...CACHE }]],
  ["--mount=type=cache,target=/c,id=i,from=s,source=/d,ro,sharing=private,mode=700,uid=1,gid=2", [
    {
      kind: "cache",
      target: "/c",
      id: "i",
      from: STAGE,
      source: "/d",
      isReadOnly: true,
      sharing: "private",
      mode: 0o700,
      uid: 1,
      gid: 2,
    },
  ]],
  ["--mount=type=cache,target=/c,from=scratch", [{ kind: "cache", target: "/c", id: "/c", ...CACHE }]],
  ["--mount=type=tmpfs,target=/t,size=1k", [{ kind: "tmpfs", target: "/t", sizeBytes: 1024 }]],
  ["--mount=type=secret,id=a/b", [{ kind: "secret", id: "a/b", target: "/run/secrets/b", ...SECRET }]],
  ["--mount=type=secret,target=/x/name", [{ kind: "secret", id: "name", target: "/x/name", ...SECRET }]],
  ["--mount=type=secret,source=s,dst=d,mode=444", [
    { kind: "secret", id: "s", target: "/w/d", ...SECRET, mode: 0o444 },
  ]],
  ["--mount=type=secret,id=s,env=E", [{ kind: "secret", id: "s", env: "E", ...SECRET }]],
  ["--mount=type=secret,id=s,env=E,target=/f,required", [
    { kind: "secret", id: "s", target: "/f", env: "E", ...SECRET, isRequired: true },
  ]],
  ["--mount=type=ssh --mount=type=ssh,id=k,required --mount=type=ssh,target=/a", [
    { kind: "ssh", id: "default", target: "/run/buildkit/ssh_agent.0", ...SECRET, mode: 0o600 },
    { kind: "ssh", id: "k", target: "/run/buildkit/ssh_agent.1", ...SECRET, mode: 0o600, isRequired: true },
    { kind: "ssh", id: "default", target: "/a", ...SECRET, mode: 0o600 },
  ]],
  ["--mount=type=tmpfs,target=/t --mount=type=tmpfs,target=/u --mount=type=cache,target=/t", [
    { kind: "tmpfs", target: "/u" },
    { kind: "cache", target: "/t", id: "/t", ...CACHE },
  ]],
  ["--mount=type=secret,id=a,env=A --mount=type=secret,id=b,env=B", [
    { kind: "secret", id: "a", env: "A", ...SECRET },
    { kind: "secret", id: "b", env: "B", ...SECRET },
  ]],
];

for (const [flags, mounts] of CASES) {
  Deno.test(`planMounts understands ${flags}`, () => deepEqual(plan(flags), mounts));
}

Deno.test("planMounts throws when a mount would hide the whole root or has nothing to show", () => {
  const range = { startLine: 2, endLine: 2 };
  throws(() => plan("--mount=type=bind,target=/a/.."), { range, message: /invalid mount target "\/"$/ });
  throws(() => plan("--mount=from=scratch,target=/a"), { range, message: /"scratch" has no files to mount$/ });
});
