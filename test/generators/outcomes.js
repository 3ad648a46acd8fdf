import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

/** Checks answers against the document. */
export class OutcomeChecker {
  #ajv = new Ajv2020({ strict: false, allErrors: true });
  #document;

  constructor(document) {
    this.#document = document;
    formats.default(this.#ajv);
    this.#ajv.addSchema(document, 'document');
  }

  /**
   * @param calls the expected calls
   * @param outcomes the operation, the status and the body of each call, as the client returned them
   * @returns the problems: missing calls, other statuses, bodies of another shape
   */
  problemsOf(calls, outcomes) {
    const reported = outcomes.map(({ operation, status }) => `${operation} ${status}`);
    const missing = calls
      .map(({ operation, status }) => `${operation} ${status}`)
      .filter((one) => !reported.includes(one));
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
