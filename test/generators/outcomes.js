import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

/** Judges what was answered by the document. */
export class OutcomeChecker {
  #ajv = new Ajv2020({ strict: false, allErrors: true });
  #document;

  constructor(document) {
    this.#document = document;
    formats.default(this.#ajv);
    this.#ajv.addSchema(document, 'document');
  }

  /**
   * @param calls what was to be called
   * @param outcomes what was told of each: the operation, the status and the body as the client gave it
   * @returns what is wrong: calls that were not made, other statuses, bodies of another shape
   */
  offencesOf(calls, outcomes) {
    const told = outcomes.map(({ operation, status }) => `${operation} ${status}`);
    const missing = calls.map(({ operation, status }) => `${operation} ${status}`).filter((one) => !told.includes(one));
    return [
      ...missing.map((one) => `${one}: is not answered so`),
      ...outcomes.flatMap((outcome) =>
        this.#bodyOffences(outcome).map((one) => `${outcome.operation} ${outcome.status}: ${one}`),
      ),
    ];
  }

  #bodyOffences({ operation, status, body }) {
    const operations = Object.values(this.#document.paths).flatMap(Object.values);
    const { responses } = operations.find(({ operationId }) => operationId === operation);
    const schema = responses[status]?.content?.['application/json']?.schema;
    if (!schema) return [];
    const validate = this.#ajv.compile({ $ref: `document${schema.$ref}` });
    return validate(body) ? [] : validate.errors.map(({ instancePath, message }) => `${instancePath} ${message}`);
  }
}
