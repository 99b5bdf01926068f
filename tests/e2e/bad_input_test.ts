/** Bad input on the command line, in the Dockerfile and in the context: one clear error, the right exit code, nothing left. */
import { deepEqual, equal, match } from "node:assert/strict";
import { assertCleanEnd } from "../support/clean_end.ts";
import { type BuildWorld, type HostBuild, startBuildWorld } from "../support/build_world.ts";

interface Case extends HostBuild {
  readonly name: string;
  readonly code: number;
  /** What stderr must say. */
  readonly says: RegExp;
  /** The line of the Dockerfile that stderr must name. */
  readonly line?: number;
}

const CASES: readonly Case[] = [
  {
    name: "unknown instruction",
    dockerfile: "FROM busybox\nRUNN true\n",
    code: 3,
    says: /RUNN.*\bRUN\b/s,
    line: 2,
  },
  {
    name: "no FROM",
    dockerfile: "RUN true\n",
    code: 3,
    says: /RUN/,
    line: 1,
  },
  { name: "empty Dockerfile", dockerfile: "", code: 3, says: /Dockerfile.*(empty|no )/ },
  { name: "no Dockerfile", code: 4, says: /Cannot read Dockerfile ".*Dockerfile": not found/ },
  {
    name: "Dockerfile that is not text",
    files: { Dockerfile: Uint8Array.of(0x46, 0x52, 0xff, 0xfe, 0x0a) },
    code: 3,
    says: /UTF-8/,
  },
  {
    name: "missing file",
    dockerfile: "FROM busybox\nRUN true\nCOPY a.txt missing.txt /\n",
    files: { "a.txt": "" },
    code: 4,
    says: /missing\.txt.*not found/,
    line: 3,
  },
  {
    name: "file hidden by .dockerignore",
    dockerfile: "FROM busybox\nCOPY hidden.txt /\n",
    files: { "hidden.txt": "", ".dockerignore": "hidden*" },
    code: 4,
    says: /hidden\.txt.*(dockerignore|not found)/s,
    line: 2,
  },
  {
    name: "source outside of the context",
    dockerfile: "FROM busybox\nCOPY ../../../../../../../etc/hostname /\n",
    code: 4,
    says: /etc\/hostname/,
    line: 2,
  },
  {
    name: "missing stage",
    dockerfile: "FROM busybox AS first\nFROM busybox\nCOPY --from=1 /x /\n",
    code: 3,
    says: /--from|stage/,
    line: 3,
  },
  { name: "missing target", dockerfile: "FROM busybox AS one\n", args: ["--target=onne"], code: 2, says: /onne.*one/s },
  {
    name: "unknown flag",
    dockerfile: "FROM busybox\n",
    args: ["--destinaton=x"],
    code: 2,
    says: /--destinaton.*--destination/s,
  },
  {
    name: "bad value of a flag",
    dockerfile: "FROM busybox\n",
    args: ["--push-retry=many"],
    code: 2,
    says: /--push-retry/,
  },
  {
    name: "bad destination",
    dockerfile: "FROM busybox\n",
    args: ["--destination=repo/UPPER"],
    code: 2,
    says: /repo\/UPPER.*--destination/s,
  },
  { name: "no destination", dockerfile: "FROM busybox\n", output: "by args", code: 2, says: /--destination/ },
  {
    name: "context that is not there",
    dockerfile: "FROM busybox\n",
    args: ["--context=/no/such/folder"],
    code: 4,
    says: /\/no\/such\/folder/,
  },
  {
    name: "context that is a file",
    dockerfile: "FROM busybox\n",
    args: ["--context=/etc/passwd"],
    code: 4,
    says: /\/etc\/passwd/,
  },
  {
    name: "context of an unknown scheme",
    dockerfile: "FROM busybox\n",
    args: ["--context=ftp://host/x"],
    code: 8,
    says: /ftp:\/\/host\/x/,
  },
  { name: "unknown user", dockerfile: "FROM busybox\nUSER ghost\nRUN true\n", code: 4, says: /ghost.*passwd/, line: 3 },
  {
    name: "unknown group",
    dockerfile: "FROM busybox\nUSER 1:ghosts\nRUN true\n",
    code: 4,
    says: /ghosts.*group/,
    line: 3,
  },
  {
    name: "RUN that fails",
    dockerfile: "FROM busybox\nRUN true \\\n && sh -c 'exit 7'\n",
    code: 7,
    says: /exit code 7/,
    line: 2,
  },
  {
    name: "RUN that fails in an earlier stage",
    dockerfile: "FROM busybox AS x\nRUN setsid sleep 1000 & exit 3\nFROM busybox\nCOPY --from=x / /\n",
    code: 3,
    says: /exit code 3/,
    line: 2,
  },
  {
    name: "instruction that comes later",
    dockerfile: "FROM busybox\nRUN --security=insecure true\n",
    code: 3,
    says: /--security=insecure is not supported yet/,
    line: 2,
  },
  {
    name: "COPY onto a folder's place",
    dockerfile: "FROM busybox\nCOPY file /etc/passwd/\n",
    files: { file: "" },
    code: 9,
    says: /\/etc\/passwd/,
    line: 2,
  },
  {
    name: "unterminated heredoc",
    dockerfile: "FROM busybox\nRUN <<EOF\ntrue\n",
    code: 3,
    says: /EOF/,
    line: 2,
  },
  {
    name: "digest file in a place that cannot be",
    dockerfile: "FROM busybox\n",
    args: ["--digest-file=/proc/no/such"],
    code: 4,
    says: /\/proc\/no\/such/,
  },
];

Deno.test("bad input on a host", async (t) => {
  await using world = await startBuildWorld();
  for (const testCase of CASES) await t.step(testCase.name, () => check(testCase, world));
  await t.step("no space left in the work folder", () => checkFullDisk(world));
  await t.step("a build sealed off from the rest of the machine succeeds", () => checkSealed(world));
});

async function check({ name, code, says, line, ...build }: Case, world: BuildWorld): Promise<void> {
  const built = await world.build({ ...build, isSealed: true });
  equal(built.code, code, `${name}: ${built.stderr}`);
  match(built.stderr, says);
  if (line !== undefined) match(built.stderr, new RegExp(`/Dockerfile:${line}(-\\d+)?$`, "m"));
  await assertCleanEnd(built, { mayHaveLayout: name.startsWith("digest file") });
}

async function checkFullDisk(world: BuildWorld): Promise<void> {
  const work = `${world.folder}/small`;
  await Deno.mkdir(work);
  const mounted = await new Deno.Command("mount", { args: ["-t", "tmpfs", "-o", "size=6m", "none", work] }).output();
  equal(mounted.success, true);
  try {
    const written = await world.build({
      dockerfile: "FROM busybox\nRUN dd if=/dev/zero of=/big bs=1M count=20\n",
      workFolder: work,
    });
    equal(written.code, 1, written.stderr);
    match(written.stderr, /No space left/i);
    match(written.stderr, /Dockerfile:2$/m);
    await assertCleanEnd(written);
    const copied = await world.build({
      dockerfile: "FROM busybox\nCOPY big /\n",
      files: { big: new Uint8Array(8 << 20) },
      workFolder: work,
    });
    deepEqual([copied.code], [9], copied.stderr);
    match(copied.stderr, /no space left|ENOSPC/i);
    match(copied.stderr, /\/big/);
    await assertCleanEnd(copied);
  } finally {
    await new Deno.Command("umount", { args: [work] }).output();
  }
}

async function checkSealed(world: BuildWorld): Promise<void> {
  const built = await world.build({
    dockerfile: "FROM busybox AS a\nRUN touch /a\nFROM busybox\nCOPY --from=a /a /b\nRUN ls /b\n",
    isSealed: true,
  });
  equal(built.code, 0, built.stderr);
  await assertCleanEnd(built, { mayHaveLayout: true });
}
