/** COPY from end to end: each rule as a source tree, a rootfs and what comes out. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import { ContextError } from "../../../src/context/context_error.ts";
import { FormatError, UnsupportedError } from "../../../src/errors.ts";
import type { CopyRequest } from "../../../src/rootfs/copy_into.ts";
import { copyInto } from "../../../src/rootfs/copy_into.ts";
import { createContentHasher } from "../../../src/rootfs/content_hash.ts";
import { setTimes } from "../../../src/sys/inode.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { AT_CWD } from "../../../src/sys/stat.ts";
import { writeTar } from "../../../src/tar/write.ts";
import {
  CopyScene,
  recordingLogger,
  type SceneOptions,
  SOURCE_MTIME_NS,
  type TreeText,
} from "../../support/copy_scene.ts";
import { tarHeader } from "../../support/tar_headers.ts";
import { readAll } from "../../support/tar_members.ts";

const PASSWD = "f:root:x:0:0::/root:/bin/sh\nbob:x:7:8::/home/bob:/bin/sh\n";

interface Case extends SceneOptions {
  readonly name: string;
  readonly step: Partial<CopyRequest>;
  /** The rootfs after it, without what was in it before and is unchanged. */
  readonly gives: TreeText;
  /** Paths reported, in order, where the case is about them. */
  readonly written?: readonly string[];
}

const CASES: readonly Case[] = [
  // Destinations.
  {
    name: "a file to a new name",
    source: { "/f": "f:1" },
    step: { patterns: ["f"], destination: "/a/b" },
    gives: { "/a": "d", "/a/b": "f:1" },
    written: ["/a", "/a/b"],
  },
  {
    name: "a file into a new directory when the destination ends in a slash",
    source: { "/f": "f:1" },
    step: { patterns: ["f"], destination: "/a/b/" },
    gives: { "/a": "d", "/a/b": "d", "/a/b/f": "f:1" },
    written: ["/a", "/a/b", "/a/b/f"],
  },
  {
    name: "a file into a directory when the destination ends in /.",
    source: { "/f": "f:1" },
    step: { patterns: ["f"], destination: "/a/." },
    gives: { "/a": "d", "/a/f": "f:1" },
  },
  {
    name: "a file into an existing directory",
    source: { "/f": "f:1" },
    root: { "/a": "d@700@3:4" },
    step: { patterns: ["f"], destination: "/a" },
    gives: { "/a/f": "f:1" },
    written: ["/a/f"],
  },
  {
    name: "a file to the root",
    source: { "/f": "f:1" },
    step: { patterns: ["f"], destination: "/" },
    gives: { "/f": "f:1" },
  },
  {
    name: "two files to one name, the last wins",
    source: { "/a": "f:1", "/b": "f:2" },
    step: { patterns: ["a", "b"], destination: "/dest" },
    gives: { "/dest": "f:2" },
    written: ["/dest"],
  },
  {
    name: "several files into a directory",
    source: { "/a": "f:1", "/b": "f:2" },
    step: { patterns: ["b", "a"], destination: "/d/" },
    gives: { "/d": "d", "/d/a": "f:1", "/d/b": "f:2" },
  },
  {
    name: "a file over a file",
    source: { "/f": "f:new" },
    root: { "/f": "f:old@600@5:5" },
    step: { patterns: ["f"], destination: "/f" },
    gives: { "/f": "f:new" },
  },
  {
    name: "a file over one of two hard links without touching the other",
    source: { "/f": "f:new" },
    root: { "/a": "f:old", "/b": "h:/a" },
    step: { patterns: ["f"], destination: "/a" },
    gives: { "/a": "f:new", "/b": "f:old" },
  },
  {
    name: "a file over a link in a directory replaces the link",
    source: { "/f": "f:new" },
    root: { "/d/f": "l:/t", "/t": "f:old" },
    step: { patterns: ["f"], destination: "/d/" },
    gives: { "/d/f": "f:new" },
  },
  {
    name: "a file to a link that names a file writes a new file there",
    source: { "/f": "f:new" },
    root: { "/l": "l:t", "/t": "f:old" },
    step: { patterns: ["f"], destination: "/l" },
    gives: { "/t": "f:new" },
    written: ["/t"],
  },
  // Directories.
  {
    name: "what a directory holds",
    source: { "/d/a": "f:1", "/d/s/b": "f:2" },
    step: { patterns: ["d"], destination: "/x" },
    gives: { "/x": "d", "/x/a": "f:1", "/x/s": "d", "/x/s/b": "f:2" },
    written: ["/x", "/x/a", "/x/s", "/x/s/b"],
  },
  {
    name: "what a directory named with a slash holds",
    source: { "/d/a": "f:1" },
    step: { patterns: ["d/"], destination: "/x/" },
    gives: { "/x": "d", "/x/a": "f:1" },
  },
  {
    name: "the whole context",
    source: { "/a": "f:1", "/s/b": "f:2" },
    step: { patterns: ["."], destination: "/x" },
    gives: { "/x": "d", "/x/a": "f:1", "/x/s": "d", "/x/s/b": "f:2" },
  },
  {
    name: "a new destination directory as 0755 root, its children with their modes",
    source: { "/d": "d@700@5:5", "/d/s": "d@711", "/d/s/f": "f:1@4751" },
    step: { patterns: ["d"], destination: "/new" },
    gives: { "/new": "d", "/new/s": "d@711", "/new/s/f": "f:1@4751" },
  },
  {
    name: "into an existing directory that keeps its mode and owner",
    source: { "/d": "d@700", "/d/a": "f:1" },
    root: { "/x": "d@1777@3:4", "/x/o": "f:o" },
    step: { patterns: ["d"], destination: "/x" },
    gives: { "/x/a": "f:1" },
    written: ["/x/a"],
  },
  {
    name: "over existing sub-directories, which take mode and owner",
    source: { "/d/s": "d@711@9:9", "/d/s/a": "f:1" },
    root: { "/x/s": "d@700@3:4", "/x/s/o": "f:o" },
    isStage: true,
    step: { patterns: ["d"], destination: "/x" },
    gives: { "/x/s": "d@711@9:9", "/x/s/a": "f:1" },
    written: ["/x/s", "/x/s/a"],
  },
  {
    name: "empty directories",
    source: { "/d/e": "d@700" },
    step: { patterns: ["d"], destination: "/x" },
    gives: { "/x": "d", "/x/e": "d@700" },
  },
  // Sources.
  {
    name: "a source with .. cut at the root",
    source: { "/f": "f:1" },
    step: { patterns: ["../../f"], destination: "/a" },
    gives: { "/a": "f:1" },
  },
  {
    name: "a source with a leading slash",
    source: { "/s/f": "f:1" },
    step: { patterns: ["/s/f/"], destination: "/a" },
    gives: { "/a": "f:1" },
  },
  {
    name: "nothing when a wildcard matches nothing",
    source: { "/f": "f:1" },
    step: { patterns: ["nomatch*"], destination: "/d/" },
    gives: {},
    written: [],
  },
  {
    name: "files that a wildcard matches",
    source: { "/a.c": "f:1", "/b.c": "f:2", "/c.h": "f:3", "/s/d.c": "f:4" },
    step: { patterns: ["*.c"], destination: "/d/" },
    gives: { "/d": "d", "/d/a.c": "f:1", "/d/b.c": "f:2" },
  },
  {
    name: "wildcards in each segment",
    source: { "/a1/x.c": "f:1", "/a2/y.c": "f:2", "/b/z.c": "f:3" },
    step: { patterns: ["a?/*.c"], destination: "/d/" },
    gives: { "/d": "d", "/d/x.c": "f:1", "/d/y.c": "f:2" },
  },
  {
    name: "the contents of directories that a wildcard matches, merged",
    source: { "/d1/a": "f:1", "/d2/b": "f:2" },
    step: { patterns: ["d*"], destination: "/dest/" },
    gives: { "/dest": "d", "/dest/a": "f:1", "/dest/b": "f:2" },
  },
  {
    name: "** as *",
    source: { "/a/b": "f:1", "/a/c/d": "f:2" },
    step: { patterns: ["**/b"], destination: "/x/" },
    gives: { "/x": "d", "/x/b": "f:1" },
  },
  {
    name: "a name with brackets by a class",
    source: { "/arr[0].txt": "f:1", "/arr0.txt": "f:2" },
    step: { patterns: ["arr[[]0].txt"], destination: "/x/" },
    gives: { "/x": "d", "/x/arr[0].txt": "f:1" },
  },
  {
    name: "a stage's files with their owners",
    source: { "/d": "d@755@1:1", "/d/a": "f:1@600@5:6", "/d/l": "l:a@7:8" },
    isStage: true,
    step: { patterns: ["/d"], destination: "/x" },
    gives: { "/x": "d", "/x/a": "f:1@600@5:6", "/x/l": "l:a@7:8" },
  },
  {
    name: "the context's files as root's",
    source: { "/d/a": "f:1@600@5:6", "/d/l": "l:a@7:8" },
    step: { patterns: ["d"], destination: "/x" },
    gives: { "/x": "d", "/x/a": "f:1@600", "/x/l": "l:a" },
  },
  // Kinds of nodes.
  {
    name: "links that are named, followed",
    source: { "/lf": "l:s/f", "/ld": "l:/s", "/s/f": "f:1" },
    step: { patterns: ["lf", "ld"], destination: "/g/" },
    gives: { "/g": "d", "/g/lf": "f:1", "/g/f": "f:1" },
  },
  {
    name: "links that a wildcard matches, followed",
    source: { "/l1": "l:s/f", "/l2": "l:s", "/s/f": "f:1" },
    step: { patterns: ["l*"], destination: "/g/" },
    gives: { "/g": "d", "/g/l1": "f:1", "/g/f": "f:1" },
  },
  {
    name: "links in a directory as they are",
    source: { "/d/a": "l:/etc/passwd", "/d/b": "l:../../x", "/d/c": "l:nowhere" },
    step: { patterns: ["d"], destination: "/x" },
    gives: { "/x": "d", "/x/a": "l:/etc/passwd", "/x/b": "l:../../x", "/x/c": "l:nowhere" },
  },
  {
    name: "hard links as hard links",
    source: { "/d/a": "f:1", "/d/s/b": "h:/d/a", "/d/c": "f:1" },
    step: { patterns: ["d"], destination: "/x" },
    gives: { "/x": "d", "/x/a": "f:1", "/x/c": "f:1", "/x/s": "d", "/x/s/b": "h:/x/a" },
  },
  {
    name: "hard links over two sources of one COPY as two files",
    source: { "/a": "f:1", "/b": "h:/a" },
    step: { patterns: ["a", "b"], destination: "/x/" },
    gives: { "/x": "d", "/x/a": "f:1", "/x/b": "f:1" },
  },
  {
    name: "hard links whose first copy was replaced as a copy",
    source: { "/1/a": "f:old", "/2/a": "f:new", "/3/b": "h:/1/a" },
    step: { patterns: ["1", "2", "3"], destination: "/x/" },
    gives: { "/x": "d", "/x/a": "f:new", "/x/b": "f:old" },
  },
  {
    name: "fifos and devices without opening them",
    source: { "/d/p": "p@620@5:5", "/d/n": "c:1,3@666" },
    isStage: true,
    step: { patterns: ["d"], destination: "/x" },
    gives: { "/x": "d", "/x/n": "c:1,3@666", "/x/p": "p@620@5:5" },
  },
  {
    name: "a fifo that is named",
    source: { "/p": "p" },
    step: { patterns: ["p"], destination: "/q" },
    gives: { "/q": "p" },
  },
  {
    name: "setuid, setgid and sticky",
    source: { "/d/a": "f:1@6755", "/d/s": "d@3777" },
    step: { patterns: ["d"], destination: "/x" },
    gives: { "/x": "d", "/x/a": "f:1@6755", "/x/s": "d@3777" },
  },
  // Links in the destination.
  {
    name: "through a parent that is a link",
    source: { "/f": "f:1" },
    root: { "/abs": "l:/real", "/real": "d" },
    step: { patterns: ["f"], destination: "/abs/" },
    gives: { "/real/f": "f:1" },
    written: ["/real/f"],
  },
  {
    name: "through a link without a slash at the end",
    source: { "/f": "f:1" },
    root: { "/abs": "l:/real", "/real": "d" },
    step: { patterns: ["f"], destination: "/abs" },
    gives: { "/real/f": "f:1" },
  },
  {
    name: "through a dangling link, whose target is made",
    source: { "/f": "f:1" },
    root: { "/dang": "l:/nonex/x" },
    step: { patterns: ["f"], destination: "/dang/" },
    gives: { "/nonex": "d", "/nonex/x": "d", "/nonex/x/f": "f:1" },
  },
  {
    name: "a directory to a link to a directory",
    source: { "/d/a": "f:1" },
    root: { "/l": "l:real", "/real": "d@700" },
    step: { patterns: ["d"], destination: "/l" },
    gives: { "/real/a": "f:1" },
  },
  // --chown.
  {
    name: "--chown to all that is made",
    source: { "/d/s/a": "f:1" },
    root: { "/p": "d" },
    step: { patterns: ["d"], destination: "/p/q/x", chown: "7:9" },
    gives: { "/p/q": "d@7:9", "/p/q/x": "d@7:9", "/p/q/x/s": "d@7:9", "/p/q/x/s/a": "f:1@7:9" },
  },
  {
    name: "--chown of a number alone to user and group",
    source: { "/f": "f:1" },
    step: { patterns: ["f"], destination: "/t", chown: "7" },
    gives: { "/t": "f:1@7:7" },
  },
  {
    name: "--chown by name",
    source: { "/f": "f:1" },
    root: { "/etc/passwd": PASSWD },
    step: { patterns: ["f"], destination: "/t", chown: "bob" },
    gives: { "/t": "f:1@7:8" },
  },
  {
    name: "--chown of an unknown name to root",
    source: { "/f": "f:1@5:5" },
    isStage: true,
    root: { "/etc/passwd": PASSWD },
    step: { patterns: ["f"], destination: "/t", chown: "nosuch" },
    gives: { "/t": "f:1" },
  },
  {
    name: "--chown with setuid kept",
    source: { "/f": "f:1@4755" },
    step: { patterns: ["f"], destination: "/t", chown: "7:9" },
    gives: { "/t": "f:1@4755@7:9" },
  },
  // --chmod.
  {
    name: "octal --chmod to parents too",
    source: { "/f": "f:1" },
    step: { patterns: ["f"], destination: "/p/q/f", chmod: "600" },
    gives: { "/p": "d@600", "/p/q": "d@600", "/p/q/f": "f:1@600" },
  },
  {
    name: "octal --chmod to directories and files, not to links",
    source: { "/d/s/a": "f:1", "/d/l": "l:s" },
    step: { patterns: ["d"], destination: "/x", chmod: "0711" },
    gives: { "/x": "d@711", "/x/s": "d@711", "/x/s/a": "f:1@711", "/x/l": "l:s" },
  },
  {
    name: "symbolic --chmod to what is copied only",
    source: { "/d/s": "d@700", "/d/a": "f:1@600", "/d/b": "f:2@700" },
    step: { patterns: ["d"], destination: "/x", chmod: "u=rwX,go=rX" },
    gives: { "/x": "d", "/x/s": "d", "/x/a": "f:1", "/x/b": "f:2@755" },
  },
  {
    name: "symbolic --chmod not to parents",
    source: { "/f": "f:1" },
    step: { patterns: ["f"], destination: "/p/f", chmod: "u=rw,go=" },
    gives: { "/p": "d", "/p/f": "f:1@600" },
  },
  // --exclude.
  {
    name: "--exclude by path relative to the copied directory",
    source: { "/d/a.txt": "f:1", "/d/b": "f:2" },
    step: { patterns: ["d"], destination: "/x", exclude: ["a.txt"] },
    gives: { "/x": "d", "/x/b": "f:2" },
  },
  {
    name: "--exclude not by path from the context",
    source: { "/d/a.txt": "f:1" },
    step: { patterns: ["d"], destination: "/x", exclude: ["d/a.txt"] },
    gives: { "/x": "d", "/x/a.txt": "f:1" },
  },
  {
    name: "--exclude never a file that is named or matched",
    source: { "/hom.txt": "f:1", "/home": "f:2" },
    step: { patterns: ["hom*"], destination: "/d/", exclude: ["*.txt"] },
    gives: { "/d": "d", "/d/hom.txt": "f:1", "/d/home": "f:2" },
  },
  {
    name: "--exclude with ** and exceptions",
    source: { "/a/x.o": "f:1", "/a/b/y.o": "f:2", "/a/b/k.o": "f:3", "/c/z.o": "f:4" },
    step: { patterns: ["."], destination: "/x", exclude: ["**/*.o", "!a/b/k.o", "c", "!c/none"] },
    gives: { "/x": "d", "/x/a": "d", "/x/a/b": "d", "/x/a/b/k.o": "f:3" },
  },
  {
    name: "--exclude for a stage",
    source: { "/a": "f:1", "/b": "f:2" },
    isStage: true,
    step: { patterns: ["/"], destination: "/x", exclude: ["b"] },
    gives: { "/x": "d", "/x/a": "f:1" },
  },
  // .dockerignore.
  {
    name: "not what .dockerignore hides",
    source: { "/a": "f:1", "/b": "f:2", "/s/b": "f:3" },
    ignore: ["**/b"],
    step: { patterns: ["."], destination: "/x" },
    gives: { "/x": "d", "/x/a": "f:1", "/x/s": "d" },
  },
  {
    name: "what .dockerignore brings back, with its parents",
    source: { "/b/c/k.txt": "f:1", "/b/c/l": "f:2", "/b/k.txt": "f:3", "/b/e/l": "f:4", "/z": "f:5" },
    ignore: ["*", "!b/**/k.txt"],
    step: { patterns: ["."], destination: "/x" },
    gives: { "/x": "d", "/x/b": "d", "/x/b/c": "d", "/x/b/c/k.txt": "f:1", "/x/b/k.txt": "f:3" },
  },
  {
    name: "by wildcards not what .dockerignore hides",
    source: { "/a.c": "f:1", "/b.c": "f:2", "/c.c/d": "f:3" },
    ignore: ["b.c", "c.c"],
    step: { patterns: ["*.c"], destination: "/x/" },
    gives: { "/x": "d", "/x/a.c": "f:1" },
  },
  {
    name: "an ignored directory that holds something included",
    source: { "/d/a": "f:1", "/d/b": "f:2" },
    ignore: ["d", "!d/a"],
    step: { patterns: ["d"], destination: "/x" },
    gives: { "/x": "d", "/x/a": "f:1" },
  },
  // Heredocs.
  {
    name: "an inline file to a name",
    step: { inlineFiles: [{ name: "EOF", content: "hi é\n" }], destination: "/f" },
    gives: { "/f": "f:hi é\n" },
    written: ["/f"],
  },
  {
    name: "an inline file into a directory",
    step: { inlineFiles: [{ name: "EOF", content: "hi" }], destination: "/h/" },
    gives: { "/h": "d", "/h/EOF": "f:hi" },
  },
  {
    name: "inline files after the sources",
    source: { "/EOF": "f:source" },
    step: { inlineFiles: [{ name: "EOF", content: "inline" }], patterns: ["EOF"], destination: "/h/" },
    gives: { "/h": "d", "/h/EOF": "f:inline" },
  },
  {
    name: "an inline file with owner and mode",
    step: { inlineFiles: [{ name: "E", content: "" }], destination: "/p/f", chown: "3:4", chmod: "u+x" },
    gives: { "/p": "d@3:4", "/p/f": "f:@744@3:4" },
  },
];

for (const { name, step, gives, written, ...scene } of CASES) {
  Deno.test(`copyInto copies ${name}`, async () => {
    using copy = new CopyScene(scene);
    const before = copy.root();
    const paths = await copy.copy(step);
    deepEqual(copy.root(), { ...withoutBrokenLinks(before, copy.root()), ...gives });
    if (written !== undefined) deepEqual(paths, written);
    equal(new Set(paths).size, paths.length, "a path is reported twice");
    deepEqual(Object.keys(gives).filter((path) => !paths.includes(path) && before[path] === undefined), []);
    deepEqual(copy.outside(), { "/secret": "f:secret" });
    deepEqual(copy.log, []);
  });
}

/** `before` as it is told after one of two names was replaced: the other is then no hard link any more. */
function withoutBrokenLinks(before: TreeText, after: TreeText): TreeText {
  return Object.fromEntries(
    Object.entries(before).filter(([path, node]) => !node.startsWith("h:") || after[path] === node),
  );
}

interface ErrorCase extends SceneOptions {
  readonly name: string;
  readonly step: Partial<CopyRequest>;
  readonly message: string;
  readonly hint?: string;
  readonly kind?: new (...args: never[]) => Error;
}

const ERRORS: readonly ErrorCase[] = [
  {
    name: "a literal source is missing",
    source: { "/a": "f:1" },
    step: { patterns: ["a", "missing"] },
    message: `Cannot copy "/missing": not found`,
  },
  {
    name: "a link dangles",
    source: { "/x": "l:nowhere" },
    step: { patterns: ["x"] },
    message: `Cannot copy "/x": not found`,
  },
  {
    name: "a link leads out of the context",
    source: { "/x": "l:../outside/secret" },
    step: { patterns: ["x"] },
    message: `Cannot copy "/x": not found`,
  },
  {
    name: "a wildcard matches a dangling link",
    source: { "/x": "l:nowhere" },
    step: { patterns: ["x*"] },
    message: `Cannot copy "/x": not found`,
  },
  {
    name: "links go round",
    source: { "/x": "l:y", "/y": "l:x" },
    step: { patterns: ["x"] },
    message: `Cannot resolve "/x": too many symbolic links`,
    kind: Error,
  },
  {
    name: ".dockerignore hides the source",
    source: { "/a": "f:1" },
    ignore: ["a"],
    step: { patterns: ["a"] },
    message: `Cannot copy "/a": not found`,
    hint: "The .dockerignore file excludes it",
  },
  {
    name: ".dockerignore hides what a link names",
    source: { "/a": "f:1", "/l": "l:a" },
    ignore: ["a"],
    step: { patterns: ["l"] },
    message: `Cannot copy "/l": not found`,
    hint: "The .dockerignore file excludes it",
  },
  {
    name: ".dockerignore hides the link",
    source: { "/a": "f:1", "/l": "l:a" },
    ignore: ["l"],
    step: { patterns: ["l"] },
    message: `Cannot copy "/l": not found`,
    hint: "The .dockerignore file excludes it",
  },
  {
    name: ".dockerignore hides a whole directory",
    source: { "/d/a": "f:1" },
    ignore: ["d", "!d/b"],
    step: { patterns: ["d"] },
    message: `Cannot copy "/d": not found`,
    hint: "The .dockerignore file excludes it",
  },
  {
    name: "a file meets a directory",
    source: { "/d/a": "f:1" },
    root: { "/x/a": "d" },
    step: { patterns: ["d"], destination: "/x" },
    message: `Cannot copy a file to "/x/a": a directory is there`,
  },
  {
    name: "a named file meets a directory of its name",
    source: { "/a": "f:1" },
    root: { "/x/a": "d" },
    step: { patterns: ["a"], destination: "/x" },
    message: `Cannot copy a file to "/x/a": a directory is there`,
  },
  {
    name: "a directory meets a file",
    source: { "/d/a": "f:1" },
    root: { "/x": "f:o" },
    step: { patterns: ["d"], destination: "/x" },
    message: `Cannot copy a directory to "/x": not a directory`,
  },
  {
    name: "a sub-directory meets a file",
    source: { "/d/s/a": "f:1" },
    root: { "/x/s": "f:o" },
    step: { patterns: ["d"], destination: "/x" },
    message: `Cannot copy a directory to "/x/s": not a directory`,
  },
  {
    name: "a sub-directory meets a link",
    source: { "/d/s/a": "f:1" },
    root: { "/x/s": "l:/t", "/t": "d" },
    step: { patterns: ["d"], destination: "/x" },
    message: `Cannot copy a directory to "/x/s": not a directory`,
  },
  {
    name: "a parent is a file",
    source: { "/f": "f:1" },
    root: { "/x": "f:o" },
    step: { patterns: ["f"], destination: "/x/y" },
    message: `Cannot make directory "/x": not a directory`,
    kind: Error,
  },
  {
    name: "the destination is protected",
    source: { "/f": "f:1" },
    root: { "/proc": "d" },
    protectedPaths: ["/proc"],
    step: { patterns: ["f"], destination: "/proc/x" },
    message: `Cannot copy to "/proc/x": a mount or kiln's own folder is there, which is not part of the image`,
    kind: UnsupportedError,
  },
  {
    name: "the destination becomes protected by its name",
    source: { "/hosts": "f:1" },
    root: { "/etc/hosts": "f:o" },
    protectedPaths: ["/etc/hosts"],
    step: { patterns: ["hosts"], destination: "/etc/" },
    message: `Cannot copy to "/etc/hosts": a mount or kiln's own folder is there, which is not part of the image`,
    kind: UnsupportedError,
  },
  {
    name: "a link leads to a protected place",
    source: { "/f": "f:1" },
    root: { "/proc": "d", "/l": "l:proc" },
    protectedPaths: ["/proc"],
    step: { patterns: ["f"], destination: "/l/" },
    message: `Cannot copy to "/proc": a mount or kiln's own folder is there, which is not part of the image`,
    kind: UnsupportedError,
  },
  {
    name: "--chmod makes no sense",
    source: { "/f": "f:1" },
    step: { patterns: ["f"], chmod: "64a" },
    message: `invalid chmod parameter: '64a'. it should be octal string and between 0 and 07777`,
    kind: FormatError,
  },
  {
    name: "a pattern makes no sense",
    source: { "/f": "f:1" },
    step: { patterns: ["[a"] },
    message: `Cannot use pattern "[a": syntax error in pattern`,
    kind: FormatError,
  },
  {
    name: "an --exclude makes no sense",
    source: { "/f": "f:1" },
    step: { patterns: ["f"], exclude: ["!"] },
    message: `Cannot use pattern "!": illegal exclusion pattern: "!"`,
    kind: FormatError,
  },
  {
    name: "--chown names somebody in an empty image",
    source: { "/f": "f:1" },
    step: { patterns: ["f"], chown: "bob" },
    message: `Cannot look up user "bob": the image is empty and knows no names`,
  },
  {
    name: "an inline file meets a directory",
    root: { "/x/E": "d" },
    step: { inlineFiles: [{ name: "E", content: "" }], destination: "/x/" },
    message: `Cannot copy a file to "/x/E": a directory is there`,
  },
];

for (const { name, step, message, hint, kind, ...scene } of ERRORS) {
  Deno.test(`copyInto says what is wrong and writes nothing when ${name}`, async () => {
    using copy = new CopyScene(scene);
    const before = copy.root();
    await rejects(copy.copy(step), (error) => {
      equal(error instanceof (kind ?? ContextError), true, String(error));
      equal(error instanceof Error && error.message, message);
      if (hint !== undefined) equal(error instanceof ContextError && error.hint, hint);
      return true;
    });
    deepEqual(copy.root(), before);
    deepEqual(copy.outside(), { "/secret": "f:secret" });
  });
}

Deno.test("copyInto keeps times to the nanosecond, of directories and links too", async () => {
  using copy = new CopyScene({ source: { "/d/s/a": "f:1", "/d/l": "l:s", "/d/p": "p" } });
  await copy.copy({ patterns: ["d"], destination: "/x/y" });
  for (const path of ["/x/y", "/x/y/s", "/x/y/s/a", "/x/y/l", "/x/y/p"]) {
    equal(copy.node(path)?.mtimeNs, SOURCE_MTIME_NS, path);
  }
  equal(copy.node("/x")?.mtimeNs === SOURCE_MTIME_NS, false);
});

Deno.test("copyInto records the content of each file by inode, equal contents alike", async () => {
  using copy = new CopyScene({ source: { "/d/a": "f:1", "/d/b": "f:1", "/d/c": "f:2", "/d/l": "l:a" } });
  await copy.copy({ patterns: ["d"], destination: "/x", inlineFiles: [{ name: "E", content: "2" }] });
  const hashes = ["a", "b", "c", "E"].map((name) => copy.known.get(copy.node(`/x/${name}`)?.ino ?? 0n));
  const hasher = await createContentHasher();
  const expected = ["1", "1", "2", "2"].map((text) => {
    hasher.begin(undefined);
    hasher.update(new TextEncoder().encode(text));
    return hasher.end();
  });
  deepEqual(hashes, expected);
  equal(copy.known.size, 4);
});

Deno.test("copyInto leaves a file alone when it is copied onto itself", async () => {
  using copy = new CopyScene({ root: { "/d/a": "f:1@600@5:5", "/d/s/b": "f:2" } });
  const before = copy.root();
  const tree = { root: copy.rootfs.path, keepsOwner: true };
  await copy.copy({ patterns: ["/"], destination: "/" }, tree);
  await copy.copy({ patterns: ["/d/a"], destination: "/d/a" }, tree);
  deepEqual(copy.root(), before);
});

Deno.test("copyInto ends when a tree is copied into itself", async () => {
  using copy = new CopyScene({ root: { "/a": "f:1", "/x/y": "d" } });
  await copy.copy({ patterns: ["/"], destination: "/x/y" }, { root: copy.rootfs.path, keepsOwner: true });
  deepEqual(copy.root(), { "/a": "f:1", "/x": "d", "/x/y": "d", "/x/y/a": "f:1", "/x/y/x": "d" });
});

const SAME: TreeText = { "/d/f": "f:one", "/d/l": "l:f", "/d/s/g": "f:two@750" };

Deno.test("copyInto writes nothing when all of it is there already", async () => {
  using copy = new CopyScene({ source: SAME });
  deepEqual(await copy.copy({ patterns: ["d"], destination: "/x/" }), ["/x", "/x/f", "/x/l", "/x/s", "/x/s/g"]);
  const inode = copy.node("/x/f")?.ino;
  deepEqual(await copy.copy({ patterns: ["d"], destination: "/x/" }), []);
  deepEqual(await copy.copy({ patterns: ["d/f", "d/l"], destination: "/x/" }), ["/x/l"]);
  equal(copy.node("/x/f")?.ino, inode);
});

const CHANGES: readonly (readonly [what: string, step: Partial<CopyRequest>, written: readonly string[]])[] = [
  ["the mode", { chmod: "g=u" }, ["/x/f", "/x/s", "/x/s/g"]],
  ["the owner", { chown: "7:8" }, ["/x/f", "/x/l", "/x/s", "/x/s/g"]],
];

for (const [what, step, written] of CHANGES) {
  Deno.test(`copyInto writes again what is there when ${what} differs`, async () => {
    using copy = new CopyScene({ source: SAME });
    await copy.copy({ patterns: ["d"], destination: "/x/" });
    deepEqual(await copy.copy({ patterns: ["d"], destination: "/x/", ...step }), written);
  });
}

Deno.test("copyInto writes again what is there when content, target or time differ", async () => {
  using copy = new CopyScene({ source: { "/d/a": "f:1", "/d/b": "f:1", "/d/c": "f:1", "/d/l": "l:a" } });
  await copy.copy({ patterns: ["d"], destination: "/x/" });
  await Deno.writeTextFile(copy.sourcePath("/d/a"), "2");
  await Deno.utime(copy.sourcePath("/d/b"), 5, 5);
  await Deno.remove(copy.sourcePath("/d/l"));
  await Deno.symlink("b", copy.sourcePath("/d/l"));
  for (const name of ["a", "l"]) setTimes(AT_CWD, rawPath(copy.sourcePath(`/d/${name}`)), SOURCE_MTIME_NS);
  deepEqual(await copy.copy({ patterns: ["d"], destination: "/x/" }), ["/x/a", "/x/b", "/x/l"]);
  equal(await Deno.readTextFile(copy.hostPath("/x/a")), "2");
  equal(await Deno.readLink(copy.hostPath("/x/l")), "b");
});

Deno.test("copyInto gives a directory that was there the time of the source directory", async () => {
  using copy = new CopyScene({ source: { "/d/f": "f:1" }, root: { "/x": "d@711" } });
  await copy.copy({ patterns: ["d"], destination: "/x" });
  equal(copy.node("/x")?.mtimeNs, SOURCE_MTIME_NS);
  equal(copy.node("/x")?.mode, 0o711);
});

Deno.test("copyInto gives no directory the time of the context's root", async () => {
  using copy = new CopyScene({ source: { "/f": "f:1" } });
  await copy.copy({ patterns: ["."], destination: "/x/" });
  equal(copy.node("/x")?.mtimeNs, 0n);
});

Deno.test("copyInto leaves out protected places of the rootfs, with a warning", async () => {
  using copy = new CopyScene({
    source: { "/proc/x": "f:1", "/sys": "d@700", "/a": "f:2", "/etc/hosts": "f:3", "/etc/b": "f:4" },
    root: { "/proc": "d", "/sys": "d", "/etc/hosts": "f:o" },
    protectedPaths: ["/proc", "/sys", "/etc/hosts"],
  });
  deepEqual(await copy.copy({ patterns: ["."] }), ["/a", "/etc/b"]);
  deepEqual(copy.root(), { "/a": "f:2", "/etc": "d", "/etc/b": "f:4", "/etc/hosts": "f:o", "/proc": "d", "/sys": "d" });
  deepEqual(copy.log.map((line) => line.split(":")[0]), [
    `warn Not copied to "/etc/hosts"`,
    `warn Not copied to "/proc"`,
  ]);
});

Deno.test("copyInto leaves out protected places of the source, and cannot find them", async () => {
  using copy = new CopyScene({ source: { "/proc/x": "f:1", "/a": "f:2" } });
  const tree = { ...copy.tree, protectedPaths: [rawPath("/proc")] };
  await copy.copy({ patterns: ["/", "pro*"], destination: "/x" }, tree);
  deepEqual(copy.root(), { "/x": "d", "/x/a": "f:2" });
  await rejects(copy.copy({ patterns: ["/proc/x"] }, tree), /Cannot copy "\/proc\/x": not found/);
});

Deno.test("copyInto makes an empty file of a socket", async () => {
  using copy = new CopyScene({ source: { "/d": "d" } });
  const listener = Deno.listen({ transport: "unix", path: copy.sourcePath("/d/s") });
  try {
    await copy.copy({ patterns: ["d"], destination: "/x", chmod: "640" });
  } finally {
    listener.close();
  }
  deepEqual(copy.root(), { "/x": "d@640", "/x/s": "f:@640" });
});

Deno.test("copyInto stops when the signal says so", async () => {
  using copy = new CopyScene({ source: { "/a": "f:1" } });
  const stop = new TypeError("stop");
  const options = {
    hasher: await createContentHasher(),
    known: copy.known,
    decompress: (stream: ReadableStream<Uint8Array>) => Promise.resolve(stream),
    log: recordingLogger([]),
    signal: AbortSignal.abort(stop),
    implicitTimeNs: 0n,
  };
  const step: CopyRequest = {
    instruction: "COPY",
    patterns: ["a"],
    inlineFiles: [],
    destination: "/",
    exclude: [],
    unpack: false,
    parents: false,
  };
  await rejects(copyInto(step, copy.tree, copy.rootfs, options), stop);
  deepEqual(copy.root(), {});
});

/** A tar in the source tree: one directory, one file. */
async function putArchive(copy: CopyScene, path: string, isCompressed: boolean): Promise<void> {
  const plain = await readAll(writeTar([
    { header: tarHeader("s", { type: "directory", mode: 0o711, uid: 3, gid: 4 }) },
    { header: tarHeader("s/a.txt", { mode: 0o4640, uid: 5, gid: 6, size: 1 }), body: [Uint8Array.of(0x31)] },
  ]));
  const stream = new Blob([plain.slice()]).stream();
  const stored = isCompressed ? stream.pipeThrough(new CompressionStream("gzip")) : stream;
  await Deno.writeFile(copy.sourcePath(path), stored);
}

const ADD: Partial<CopyRequest> = { instruction: "ADD", unpack: true, patterns: ["f.bin"], destination: "/b" };
const UNPACKED: TreeText = { "/b": "d", "/b/s": "d@711@3:4", "/b/s/a.txt": "f:1@4640@5:6" };
const OWNED: TreeText = { "/b": "d@9:9", "/b/s": "d@711@9:9", "/b/s/a.txt": "f:1@4640@9:9" };

const ADDS: readonly (readonly [name: string, step: Partial<CopyRequest>, gives: TreeText])[] = [
  ["an archive as a directory", ADD, UNPACKED],
  ["an archive that a wildcard matches", { ...ADD, patterns: ["*.bin"] }, UNPACKED],
  ["an archive that a link names", { ...ADD, patterns: ["link"] }, UNPACKED],
  ["an archive with --chown", { ...ADD, chown: "9:9" }, OWNED],
  ["an archive, --chmod and --exclude ignored", { ...ADD, chmod: "600", exclude: ["**"] }, UNPACKED],
];

for (const isCompressed of [false, true]) {
  for (const [name, step, gives] of ADDS) {
    Deno.test(`copyInto unpacks ${name}, ${isCompressed ? "compressed" : "plain"}`, async () => {
      using copy = new CopyScene({ source: { "/link": "l:f.bin" } });
      await putArchive(copy, "/f.bin", isCompressed);
      deepEqual(await copy.copy(step), Object.keys(gives));
      deepEqual(copy.root(), gives);
    });
  }
}

Deno.test("copyInto copies an archive as it is when told not to unpack, for COPY, and inside a directory", async () => {
  using copy = new CopyScene({ source: { "/d": "d" } });
  await putArchive(copy, "/f.bin", true);
  await putArchive(copy, "/d/f.bin", true);
  await copy.copy({ ...ADD, unpack: false, destination: "/1" });
  await copy.copy({ ...ADD, instruction: "COPY", destination: "/2" });
  await copy.copy({ ...ADD, patterns: ["d"], destination: "/3" });
  const bytes = await Deno.readFile(copy.sourcePath("/f.bin"));
  for (const path of ["/1", "/2", "/3/f.bin"]) deepEqual(await Deno.readFile(copy.hostPath(path)), bytes, path);
});

Deno.test("copyInto copies what is only named like an archive", async () => {
  using copy = new CopyScene({ source: { "/x.tar.gz": "f:text" } });
  await copy.copy({ ...ADD, patterns: ["x.tar.gz"], destination: "/a/" });
  deepEqual(copy.root(), { "/a": "d", "/a/x.tar.gz": "f:text" });
});

Deno.test("copyInto names the archive when it breaks off", async () => {
  using copy = new CopyScene();
  await putArchive(copy, "/f.bin", false);
  await Deno.truncate(copy.sourcePath("/f.bin"), 1000);
  await rejects(copy.copy(ADD), (error) => {
    equal(
      error instanceof ContextError && /^Cannot unpack "\/f.bin": Cannot read tar/.test(error.message),
      true,
      String(error),
    );
    return true;
  });
});

Deno.test("copyInto refuses to unpack onto a file", async () => {
  using copy = new CopyScene({ root: { "/b": "f:o" } });
  await putArchive(copy, "/f.bin", false);
  await rejects(copy.copy(ADD), /Cannot copy a directory to "\/b": not a directory/);
});
