/**
 * Replaces the variables in the words of an instruction that changes the config. Which words are expanded, and which are
 * left to the shell or kept as they are, is the Dockerfile reference's table (environment replacement).
 */
import { type ExpandOptions, expandWord, expandWords, type VariableLookup } from "../dockerfile/expand.ts";
import type { KeyValue } from "../dockerfile/instruction.ts";
import type { ConfigInstruction } from "./config_state.ts";

/**
 * Expands `instruction`. All pairs of one ENV or LABEL see the variables from before it. The ports of EXPOSE are the only
 * words that split at blanks. Throws DockerfileError.
 */
export function expandInstruction(
  instruction: ConfigInstruction,
  variables: VariableLookup,
  options: ExpandOptions,
): ConfigInstruction {
  const expand = (text: string): string => expandWord(text, variables, options);
  const expandPair = ({ key, value }: KeyValue): KeyValue => ({ key: expand(key), value: expand(value) });
  switch (instruction.kind) {
    case "ENV":
      return { ...instruction, pairs: instruction.pairs.map(expandPair) };
    case "LABEL":
      return { ...instruction, pairs: instruction.pairs.map(expandPair) };
    case "WORKDIR":
      return { ...instruction, path: expand(instruction.path) };
    case "USER":
      return { ...instruction, user: expand(instruction.user) };
    case "EXPOSE": {
      const ports = instruction.ports.flatMap((port) => expandWords(port, variables, options));
      return { ...instruction, ports };
    }
    case "VOLUME":
      return { ...instruction, paths: instruction.paths.map(expand) };
    case "STOPSIGNAL":
      return { ...instruction, signal: expand(instruction.signal) };
    case "CMD":
    case "ENTRYPOINT":
    case "SHELL":
    case "HEALTHCHECK":
    case "ONBUILD":
    case "MAINTAINER":
      return instruction;
  }
}
