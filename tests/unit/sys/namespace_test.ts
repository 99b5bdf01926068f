import { deepEqual, equal, notEqual, throws } from "node:assert/strict";
import { isPermitted, MOUNT, mount, unmount, withNewPidNamespace } from "../../../src/sys/namespace.ts";
import { SystemError } from "../../../src/sys/libc.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";

const pidNamespace = (): string => Deno.readLinkSync("/proc/self/ns/pid");

Deno.test("withNewPidNamespace makes the child the first process of its namespace and changes back", async () => {
  const command = new Deno.Command("/bin/sh", { args: ["-c", "echo $$; readlink /proc/self/ns/pid"], stdout: "piped" });
  const child = withNewPidNamespace((isNew) => {
    equal(isNew, true);
    return command.spawn();
  });
  const [pid] = new TextDecoder().decode((await child.output()).stdout).split("\n");
  equal(pid, "1");
  const after = new TextDecoder().decode((await command.output()).stdout).split("\n");
  notEqual(after[0], "1");
  equal(after[1], pidNamespace());
});

Deno.test("withNewPidNamespace ends every process of the namespace when the first one ends", async () => {
  const script = "setsid sleep 1000 & setsid sleep 1000 & echo on; read line";
  const command = new Deno.Command("/bin/sh", { args: ["-c", script], stdin: "piped", stdout: "piped" });
  const child = withNewPidNamespace(() => command.spawn());
  const reader = child.stdout.getReader();
  await reader.read();
  await child.stdin.close();
  equal((await child.status).code, 1);
  equal((await reader.read()).done, true, "somebody still holds the output");
});

Deno.test("withNewPidNamespace changes back when the action throws", async () => {
  throws(() =>
    withNewPidNamespace(() => {
      throw new TypeError("inside");
    }), /inside/);
  const { stdout } = await new Deno.Command("readlink", { args: ["/proc/self/ns/pid"] }).output();
  equal(new TextDecoder().decode(stdout).trim(), pidNamespace());
});

Deno.test("isPermitted tells refusals of the kernel from other failures", () => {
  const failing = (errnoName: string) => (): void => {
    throw new SystemError("unshare", errnoName, undefined, errnoName);
  };
  deepEqual([isPermitted(() => undefined), isPermitted(failing("EPERM")), isPermitted(failing("EINVAL"))], [
    true,
    false,
    false,
  ]);
  throws(() => isPermitted(failing("ENOENT")), { errnoName: "ENOENT" });
  throws(() => isPermitted(() => pidNamespace().at(99)?.length === 0 || failing("EIO")()), { errnoName: "EIO" });
});

Deno.test("mount and unmount name the target when the kernel refuses", () => {
  const target = rawPath("/no/such/place");
  throws(() => mount({ source: rawPath("tmpfs"), target, type: "tmpfs", flags: MOUNT.noExec }), {
    errnoName: "ENOENT",
    message: /mount at "\/no\/such\/place"/,
  });
  throws(() => unmount(target), { errnoName: "ENOENT", message: /unmount "\/no\/such\/place"/ });
});
