/** The place where a text stops being JSON, and what is expected there. */
interface JsonFault {
  /** In UTF-16 units, from 0; the length of the text if it ends too early. */
  at: number;
  expected: string;
}

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
/** The contents of a string, including escapes; in one match, since each match costs a call. */
const CHARACTERS = /(?:[ !#-[\]-\uffff]+|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y;

/** Finds where a text stops being JSON (RFC 8259), in one pass; `undefined` if it is JSON. */
export function jsonFault(text: string): JsonFault | undefined {
  try {
    new SyntaxCheck(text).run();
    return undefined;
  } catch (fault) {
    if (fault instanceof Fault) return fault;
    throw fault;
  }
}

class Fault extends Error implements JsonFault {
  constructor(
    readonly at: number,
    readonly expected: string,
  ) {
    super();
  }
}

class SyntaxCheck {
  private at = 0;
  /** The closing brackets that are still missing. */
  private readonly openBrackets: string[] = [];

  constructor(private readonly text: string) {}

  run(): void {
    this.skip(SPACE);
    do {
      this.readValue();
    } while (this.hasNextValue());
    if (this.at < this.text.length) throw new Fault(this.at, 'the end of the body');
  }

  /** Reads a scalar, or opens objects and lists up to the first scalar or empty one. */
  private readValue(): void {
    for (;;) {
      const start = this.text.charAt(this.at);
      if (start === '"') return this.readString();
      if (start !== '{' && start !== '[') return this.readScalar();
      this.at++;
      this.skip(SPACE);
      const end = start === '{' ? '}' : ']';
      this.openBrackets.push(end);
      if (this.text.charAt(this.at) === end) return;
      if (start === '{') this.readName();
    }
  }

  /** Closes objects and lists that end here. @returns whether another value follows */
  private hasNextValue(): boolean {
    this.skip(SPACE);
    for (let end = this.openBrackets.at(-1); end !== undefined; end = this.openBrackets.at(-1)) {
      const character = this.text.charAt(this.at);
      if (character === end) this.openBrackets.pop();
      else if (character !== ',') throw new Fault(this.at, `a comma or ${end}`);
      this.at++;
      this.skip(SPACE);
      if (character === end) continue;
      if (end === '}') this.readName();
      return true;
    }
    return false;
  }

  private readName(): void {
    if (this.text.charAt(this.at) !== '"') throw new Fault(this.at, 'a name in double quotes');
    this.readString();
    this.skip(SPACE);
    if (this.text.charAt(this.at) !== ':') throw new Fault(this.at, 'a colon');
    this.at++;
    this.skip(SPACE);
  }

  private readScalar(): void {
    if (!this.skip(SCALAR)) throw new Fault(this.at, 'a value');
  }

  private readString(): void {
    this.at++;
    this.skip(CHARACTERS);
    const end = this.text.charAt(this.at);
    if (end === '') throw new Fault(this.at, 'a closing quote');
    if (end === '\\') throw new Fault(this.at, 'a valid escape');
    if (end !== '"') throw new Fault(this.at, 'a closing quote or an escape');
    this.at++;
  }

  /** Skips a match of the pattern. @returns whether it matched */
  private skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    const isMatch = pattern.test(this.text);
    if (isMatch) this.at = pattern.lastIndex;
    return isMatch;
  }
}

/** A place in a text as editors show it: lines and characters count from 1. */
export function placeOf(text: string, at: number): string {
  let line = 1;
  let column = 1;
  for (let index = 0; index < at; index++) {
    const unit = text.charCodeAt(index);
    const isBreak = unit === 0x0a || (unit === 0x0d && text.charCodeAt(index + 1) !== 0x0a);
    if (isBreak) line++;
    if (isBreak) column = 1;
    // A surrogate pair is one character
    else if (unit < 0xdc00 || unit > 0xdfff) column++;
  }
  return `line ${line}, column ${column}`;
}
