/** The port words of EXPOSE, `[[ip:]hostPort:]port[-port][/protocol]`, as entries of Config.ExposedPorts. */
import { DockerfileError, type SourceRange } from "../dockerfile/instruction.ts";

const PROTOCOLS: ReadonlySet<string> = new Set(["tcp", "udp", "sctp"]);
const MAX_PORT = 65535;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?=\d)|$)){4}$/;
const IPV6 = /^(?=[^:]*:[^:]*:)[0-9A-Fa-f:.]+$/;

/** First and last port, inclusive. */
interface PortRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Reads the expanded words of EXPOSE into `port/protocol` entries, ranges written out, in order and each once. Host parts
 * are checked and dropped, as they mean nothing in an image. Throws DockerfileError.
 * @example
 * ```ts
 * import { parsePorts } from "./expose_ports.ts";
 * import { deepEqual } from "node:assert/strict";
 * deepEqual(parsePorts(["80-81", "53/UDP"], { startLine: 1, endLine: 1 }), ["80/tcp", "81/tcp", "53/udp"]);
 * ```
 */
export function parsePorts(words: readonly string[], range: SourceRange): readonly string[] {
  return [...new Set(words.flatMap((word) => parsePort(word, range)))];
}

function parsePort(word: string, range: SourceRange): readonly string[] {
  const fail = (reason: string): never => {
    throw new DockerfileError(`Cannot expose port "${word}": ${reason}`, range);
  };
  const parts = word.split(":");
  const [containerPort = "", rawProtocol, ...rest] = (parts.pop() ?? "").split("/");
  const hostPort = parts.pop() ?? "";
  const address = parts.join(":");
  const protocol = rawProtocol === undefined || rawProtocol === ""
    ? "tcp"
    : [rawProtocol, ...rest].join("/").toLowerCase();
  if (!PROTOCOLS.has(protocol)) return fail(`invalid protocol "${protocol}", expected tcp, udp or sctp`);
  if (!isAddress(address)) return fail(`invalid IP address "${address}"`);
  const ports = parsePortRange(containerPort) ?? fail(`invalid container port "${containerPort}"`);
  if (hostPort !== "") {
    const hostPorts = parsePortRange(hostPort) ?? fail(`invalid host port "${hostPort}"`);
    const isMatch = ports.last === ports.first || hostPorts.last - hostPorts.first === ports.last - ports.first;
    if (!isMatch) fail(`the ranges "${hostPort}" and "${containerPort}" differ in length`);
  }
  return Array.from({ length: ports.last - ports.first + 1 }, (_, offset) => `${ports.first + offset}/${protocol}`);
}

function parsePortRange(text: string): PortRange | undefined {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  return first <= last && last <= MAX_PORT ? { first, last } : undefined;
}

function isAddress(text: string): boolean {
  if (text === "") return true;
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  return IPV4.test(bare) || IPV6.test(bare);
}
