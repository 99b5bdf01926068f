import { equal, throws } from "node:assert/strict";
import { check, errno, libc, SystemError, systemError } from "../../../src/sys/libc.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";

Deno.test("libc gives the functions of the running C library, and the same table each time", () => {
  equal(libc(), libc());
  equal(libc().getuid(), Deno.uid());
});

Deno.test("errno tells why the last call failed", () => {
  equal(libc().close(-1), -1);
  equal(errno(), 9);
  equal(libc().kill(-1_000_000_000, 0), -1);
  equal(errno(), 3);
});

Deno.test("systemError names the action, the path, the reason and the call", () => {
  const error = systemError("openat", rawPath("/ü"), 2);
  equal(error.message, 'Cannot open "/ü": no such file or directory (openat: ENOENT)');
  equal(error.code, "system");
  equal(systemError("frob", undefined, 9999).message, "Cannot frob: refused by the system (frob: errno 9999)");
});

Deno.test("check passes results on and throws for a negative one", () => {
  equal(check(7, "openat"), 7);
  throws(() => check(libc().close(-1), "close"), (error: unknown) => {
    return error instanceof SystemError && error.errnoName === "EBADF" && error.syscall === "close";
  });
});
