import { deepEqual, equal, throws } from "node:assert/strict";
import { mountFrom, type MountOptions, readMountOptions } from "../../../src/plan/mount_options.ts";

const RANGE = { startLine: 3, endLine: 4 };
const READING = { range: RANGE, expand: (value: string) => value.replace("$E", "expanded") };

const CASES: readonly (readonly [text: string, options: MountOptions])[] = [
  ["target=/t", { type: "bind", target: "/t" }],
  ["type=bind,dst=/t,src=$E,from=s,rw", {
    type: "bind",
    target: "/t",
    source: "expanded",
    from: "s",
    isReadOnly: false,
  }],
  ["TYPE=bind,Destination=/t,RO", { type: "bind", target: "/t", isReadOnly: true }],
  ["type=bind,target=/t,readonly=false", { type: "bind", target: "/t", isReadOnly: false }],
  ["type=bind,target=/t,readwrite=0", { type: "bind", target: "/t", isReadOnly: true }],
  ["type=tmpfs,target=/t,size=1m", { type: "tmpfs", target: "/t", sizeBytes: 1 << 20 }],
  ["type=cache,target=/t,sharing=LOCKED,mode=0770,uid=1,gid=2,id=x", {
    type: "cache",
    target: "/t",
    sharing: "locked",
    mode: 0o770,
    uid: 1,
    gid: 2,
    id: "x",
  }],
  ["type=secret,id=s,env=E,required", { type: "secret", id: "s", env: "E", isRequired: true }],
  ["type=ssh,required=false,mode=666", { type: "ssh", isRequired: false, mode: 0o666 }],
  ['type=bind,"target=/a,b"', { type: "bind", target: "/a,b" }],
  ["type=bind,type=tmpfs,size=1,target=/t", { type: "tmpfs", sizeBytes: 1, target: "/t" }],
];

for (const [text, options] of CASES) {
  Deno.test(`readMountOptions understands ${text}`, () => deepEqual(readMountOptions(text, READING), options));
}

const FAULTS: readonly (readonly [text: string, reason: string, hint?: string])[] = [
  ["typ=tmpfs", "unexpected key 'typ' in 'typ=tmpfs'", 'Did you mean "type"?'],
  ["type=tmp,target=/x", 'unsupported mount type "tmp"', 'Did you mean "tmpfs"?'],
  ["size=1m,type=tmpfs,target=/t", "unexpected key 'size' for mount type 'bind'", "Write type=tmpfs before it"],
  ["type=bind,required", "unexpected key 'required' for mount type 'bind'", "Write type=secret or type=ssh before it"],
  [
    "type=bind,required=true",
    "unexpected key 'required' for mount type 'bind'",
    "Write type=secret or type=ssh before it",
  ],
  ["type=ssh,env=X", "unexpected key 'env' for mount type 'ssh'", "Write type=secret before it"],
  ["target", "invalid field 'target' must be a key=value pair"],
  ["type=bind,x", "invalid field 'x' must be a key=value pair"],
  ["type=bind,targe", "invalid field 'targe' must be a key=value pair", 'Did you mean "target"?'],
  ["type=bind,target=/t,mode=0755", 'mode not allowed for "bind" type mounts'],
  ["type=tmpfs,target=/t,uid=1", 'uid not allowed for "tmpfs" type mounts'],
  ["gid=1,type=bind,target=/t", 'gid not allowed for "bind" type mounts'],
  ["type=cache,target=/t,sharing=share", 'unsupported sharing value "share"', 'Did you mean "shared"?'],
  ["type=cache,sharing=locked,type=bind,target=/t", "invalid cache sharing set for bind mount"],
  ["type=cache,target=/t,mode=9", "invalid value 9 for mode"],
  ["type=cache,target=/t,uid=-1", "invalid value -1 for uid"],
  ["type=cache,target=/t,gid=4294967296", "invalid value 4294967296 for gid"],
  ["type=tmpfs,target=/t,size=big", "invalid value for size: big"],
  ["type=bind,target=/t,ro=maybe", "invalid value for ro: maybe"],
  ["type=bind,target=/t,from=$X", "'from' doesn't support variable expansion, define alias stage instead"],
  ["type=secret", "invalid secret mount. one of source, target required"],
  ["type=secret,id=a,source=b", "both source and id can't be set"],
  ["type=secret,id=a,from=b", "secret mount should not have a from"],
  ["type=secret,id=a,env=", "the name of the environment variable is empty"],
  ["type=ssh,source=a", "ssh does not support source"],
  ['type=bind,target="x"', "a quote is missing, or stands inside of a field"],
];

for (const [text, reason, hint] of FAULTS) {
  Deno.test(`readMountOptions throws when told ${text}`, () => {
    const message = `Cannot use --mount=${text}: ${reason}`;
    throws(() => readMountOptions(text, READING), { name: "DockerfileError", message, hint, range: RANGE });
  });
}

Deno.test("mountFrom gives the last from without a look at the rest", () => {
  equal(mountFrom("type=nonsense,from=a,FROM=b"), "b");
  equal(mountFrom("type=bind,target=/from=x"), undefined);
  equal(mountFrom('a"'), undefined);
});
