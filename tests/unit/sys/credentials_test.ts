import { deepEqual, equal, throws } from "node:assert/strict";
import { overrideFilePermissions, readGroups, withThreadCredentials } from "../../../src/sys/credentials.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const SOMEBODY = { uid: 12345, gid: 2345, groups: [7, 70_000] };

/** Uid, gid and groups lines of every thread of this process, without doubles. */
function identities(): string[] {
  const all = [...Deno.readDirSync("/proc/self/task")].map(({ name }) => {
    const status = Deno.readTextFileSync(`/proc/self/task/${name}/status`);
    return (status.match(/^(Uid|Gid|Groups|CapEff):.*$/gm) ?? []).join(" ");
  });
  return [...new Set(all)];
}

Deno.test("withThreadCredentials makes a child somebody else and leaves the program what it is", async () => {
  const before = identities();
  equal(before.length, 1);
  const command = new Deno.Command("/usr/bin/id", { args: ["-u"], stdout: "piped" });
  const { child, during } = withThreadCredentials(SOMEBODY, () => {
    return { child: command.spawn(), during: identities().length };
  });
  equal(new TextDecoder().decode((await child.output()).stdout), "12345\n");
  equal(during, 2);
  deepEqual(identities(), before);
});

Deno.test("withThreadCredentials changes back when the action throws and when the kernel refuses", () => {
  const before = identities();
  throws(() => withThreadCredentials(SOMEBODY, () => deepEqual(readGroups(), [])), { name: "AssertionError" });
  throws(() => withThreadCredentials({ ...SOMEBODY, groups: Array(65_537).fill(1) }, () => undefined), {
    errnoName: "EINVAL",
    message: /set the groups/,
  });
  deepEqual(identities(), before);
});

Deno.test("overrideFilePermissions lets a user pass a closed directory until the end of the section", async () => {
  await using folder = await makeTempDir();
  await Deno.mkdir(`${folder.path}/closed/in`, { recursive: true });
  await Deno.chmod(`${folder.path}/closed`, 0o700);
  const canStat = (): boolean => {
    try {
      return Deno.lstatSync(`${folder.path}/closed/in`).isDirectory;
    } catch {
      return false;
    }
  };
  const seen = withThreadCredentials(SOMEBODY, () => {
    const before = canStat();
    overrideFilePermissions();
    return [before, canStat()];
  });
  deepEqual(seen, [false, true]);
});

Deno.test("becomeUser changes a thread for good", async () => {
  const worker = new Worker(new URL("../../support/become_user_worker.ts", import.meta.url), { type: "module" });
  const { promise, resolve } = Promise.withResolvers<unknown>();
  worker.onmessage = (event) => resolve(event.data);
  worker.postMessage(SOMEBODY);
  deepEqual(await promise, ["Uid:\t12345\t12345\t12345\t12345", "Gid:\t2345\t2345\t2345\t2345", "Groups:\t7 70000 "]);
  worker.terminate();
});
