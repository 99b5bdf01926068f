/** What a flag is: one row of a command's table. Names, defaults and meaning are kaniko's wherever kaniko has the flag. */
import { BuilderError, type BuilderErrorOptions } from "../errors.ts";

/** A fault in the command line: which flag, which value, what was expected. */
export class UsageError extends BuilderError {
  readonly code = "usage";
  constructor(message: string, options: BuilderErrorOptions = {}) {
    super(message, options);
  }
}

/**
 * What kiln makes of the flag. `later`: using it (other than with the value that turns it off) is an error that says so.
 * `always`: what it asks for always holds, so any value is right.
 */
export type FlagSupport = "yes" | "later" | "always";

interface FlagBase {
  readonly name: string;
  readonly short?: string;
  readonly summary: string;
  readonly support?: FlagSupport;
  /** Shown once when the flag is used: why it should not be. */
  readonly deprecated?: string;
  /** Another name of this flag, with the same meaning. */
  readonly aliases?: readonly string[];
}

export interface TextFlag extends FlagBase {
  readonly kind: "text";
  readonly initial?: string;
  readonly choices?: readonly string[];
  /** How the value is called in the help. */
  readonly value?: string;
  /** The value of the flag without one; absent where it must have one. */
  readonly bare?: string;
}

/** May be given several times. */
export interface ListFlag extends FlagBase {
  readonly kind: "list";
  readonly value?: string;
}

/** Bare means true; `=true` and `=false` as Go reads them. */
export interface BooleanFlag extends FlagBase {
  readonly kind: "boolean";
  readonly initial: boolean;
}

export interface NumberFlag extends FlagBase {
  readonly kind: "number";
  readonly initial: number;
}

export type Flag = TextFlag | ListFlag | BooleanFlag | NumberFlag;

/** The values of a command line, by flag name. */
export class FlagValues {
  readonly #values: ReadonlyMap<string, string | boolean | number | readonly string[]>;
  readonly #given: ReadonlySet<string>;

  constructor(values: ReadonlyMap<string, string | boolean | number | readonly string[]>, given: ReadonlySet<string>) {
    this.#values = values;
    this.#given = given;
  }

  /** Whether the flag was on the command line. */
  isGiven(name: string): boolean {
    return this.#given.has(name);
  }

  /** Whether the command has the flag at all. */
  knows(name: string): boolean {
    return this.#values.has(name);
  }

  text(name: string): string {
    return this.#as(name, "string");
  }

  /** The text, or undefined where it is empty. */
  optionalText(name: string): string | undefined {
    return this.text(name) || undefined;
  }

  isSet(name: string): boolean {
    return this.#as(name, "boolean");
  }

  number(name: string): number {
    return this.#as(name, "number");
  }

  list(name: string): readonly string[] {
    const value = this.#values.get(name);
    if (!Array.isArray(value)) throw new TypeError(`"${name}" is not a list flag`);
    return value;
  }

  #as(name: string, type: "string"): string;
  #as(name: string, type: "boolean"): boolean;
  #as(name: string, type: "number"): number;
  #as(name: string, type: string): unknown {
    const value = this.#values.get(name);
    // deno-lint-ignore valid-typeof -- the overloads allow only names of types
    if (typeof value !== type) throw new TypeError(`"${name}" is not a ${type} flag`);
    return value;
  }
}
