import { deepStrictEqual, throws } from "node:assert/strict";
import { DockerfileError } from "../../../src/dockerfile/instruction.ts";
import { parsePorts } from "../../../src/plan/expose_ports.ts";

const RANGE = { startLine: 3, endLine: 4 };

const PORTS: readonly (readonly [words: readonly string[], ports: readonly string[]])[] = [
  [[], []],
  [["80"], ["80/tcp"]],
  [["80/"], ["80/tcp"]],
  [["443/TCP", "53/Udp", "7/sctp"], ["443/tcp", "53/udp", "7/sctp"]],
  [["1000-1002/udp"], ["1000/udp", "1001/udp", "1002/udp"]],
  [["80", "79-81"], ["80/tcp", "79/tcp", "81/tcp"]],
  [["0", "65535"], ["0/tcp", "65535/tcp"]],
  [["8080:80", "127.0.0.1:8080:81", "127.0.0.1::82", "::1:1:83", "[::1]::84"], [
    "80/tcp",
    "81/tcp",
    "82/tcp",
    "83/tcp",
    "84/tcp",
  ]],
  [["8000-8001:80-81", "9000-9005:90"], ["80/tcp", "81/tcp", "90/tcp"]],
];

for (const [words, ports] of PORTS) {
  Deno.test(`parsePorts gives [${ports}] when told "${words.join(" ")}"`, () => {
    deepStrictEqual(parsePorts(words, RANGE), ports);
  });
}

const FAULTS: readonly (readonly [word: string, reason: string])[] = [
  ["99999", 'invalid container port "99999"'],
  ["82-81", 'invalid container port "82-81"'],
  ["http", 'invalid container port "http"'],
  ["-1", 'invalid container port "-1"'],
  ["8080:", 'invalid container port ""'],
  ["80/foo", 'invalid protocol "foo", expected tcp, udp or sctp'],
  ["80/tcp/x", 'invalid protocol "tcp/x", expected tcp, udp or sctp'],
  ["x:80", 'invalid host port "x"'],
  ["1.2.3.400:1:80", 'invalid IP address "1.2.3.400"'],
  ["host:1:80", 'invalid IP address "host"'],
  ["1-3:80-81", 'the ranges "1-3" and "80-81" differ in length'],
];

for (const [word, reason] of FAULTS) {
  Deno.test(`parsePorts throws when told ${word}`, () => {
    throws(
      () => parsePorts(["80", word], RANGE),
      new DockerfileError(`Cannot expose port "${word}": ${reason}`, RANGE),
    );
  });
}
