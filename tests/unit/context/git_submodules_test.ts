import { deepEqual, equal, throws } from "node:assert/strict";
import { parseGitModules, resolveSubmodule } from "../../../src/context/git_submodules.ts";

Deno.test("parseGitModules reads paths and URLs, quotes and comments", () => {
  const text = `# comment
[core]
	url = none
[submodule "a \\"x\\""]
	path = libs/a/ ; comment
	URL = "https://h/a # b.git"
[submodule "b"] # comment
	path = b
	url = ../b.git
	update = none
[submodule "without-url"]
	path = c
[submodule "b"]
	branch = x
`;
  deepEqual(parseGitModules(text), [
    { path: "libs/a", url: "https://h/a # b.git", isSkipped: false },
    { path: "b", url: "../b.git", isSkipped: true },
  ]);
});

const RESOLVED: readonly (readonly [url: string, parent: string, transport: string, remote: string])[] = [
  ["https://h/a", "https://x/r.git", "http", "https://h/a"],
  ["../a.git", "https://h/g/r.git", "http", "https://h/g/a.git"],
  ["../../a.git", "https://h/g/r.git", "http", "https://h/a.git"],
  ["./a", "https://h/g/r.git", "http", "https://h/g/r.git/a"],
  ["../a", "https://u:p@h/g/r.git", "http", "https://u:p@h/g/a"],
  ["https://h/a", "https://u:p@h/r.git", "http", "https://u:p@h/a"],
  ["https://me@h/a", "https://u:p@h/r.git", "http", "https://me@h/a"],
  ["https://h:1/a", "https://u:p@h/r.git", "http", "https://h:1/a"],
  ["http://h/a", "https://u:p@h/r.git", "http", "http://h/a"],
  ["https://other/a", "https://u:p@h/r.git", "http", "https://other/a"],
  ["../a", "git@h:g/r.git", "ssh", "git@h:g/a"],
  ["../a", "git@h:/g/r.git", "ssh", "git@h:/g/a"],
  ["../a", "ssh://git@h/g/r.git", "ssh", "ssh://git@h/g/a"],
  ["git@h:a", "https://u:p@h/r.git", "ssh", "git@h:a"],
  ["git://h/a", "https://h/r.git", "git", "git://h/a"],
];

for (const [url, parent, transport, remote] of RESOLVED) {
  Deno.test(`resolveSubmodule finds ${url} from ${parent}`, () => {
    deepEqual<unknown>(resolveSubmodule(url, parent), { transport, remote });
  });
}

for (const url of ["file:///etc", "/etc", "ext::sh -c x", "fd::1", "-u/x", "--x", "https://-x/a", "", "../../../a"]) {
  Deno.test(`resolveSubmodule refuses "${url}"`, () => {
    throws(() => resolveSubmodule(url, "https://h/g/r.git"), {
      name: "FormatError",
      message: /^Cannot use submodule URL/,
    });
  });
}

Deno.test("resolveSubmodule masks the login of what it refuses", () => {
  throws(() => resolveSubmodule("ftp://u:p@h/x", "https://h/r.git"), ({ message }: Error) => {
    equal(message.includes("u:p@"), false);
    return true;
  });
});
