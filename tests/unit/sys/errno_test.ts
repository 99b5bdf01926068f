import { deepEqual, equal, ok } from "node:assert/strict";
import { constants } from "node:os";
import { ERRNO_NAMES, ERRNO_TEXTS } from "../../../src/sys/errno.ts";

Deno.test("ERRNO_NAMES agrees with the numbers of this system", () => {
  const known = Object.entries(constants.errno).filter(([name]) =>
    !["EAGAIN", "EWOULDBLOCK", "ENOTSUP"].includes(name)
  );
  ok(known.length > 60);
  const wrong = known.filter(([name, number]) => ERRNO_NAMES[number] !== undefined && ERRNO_NAMES[number] !== name);
  deepEqual(wrong, []);
  equal(ERRNO_NAMES[11], "EAGAIN");
});

Deno.test("ERRNO_TEXTS has only names that exist, each with a text for people", () => {
  const names = new Set(Object.values(ERRNO_NAMES));
  for (const [name, text] of Object.entries(ERRNO_TEXTS)) {
    ok(names.has(name) || name === "ENOTSUP", name); // ENOTSUP is another name of EOPNOTSUPP
    ok(/^[a-z0-9].*[^.]$/i.test(text), text);
  }
  ok(["ENOENT", "EACCES", "ENOSPC", "EPERM"].every((name) => ERRNO_TEXTS[name] !== undefined));
});
