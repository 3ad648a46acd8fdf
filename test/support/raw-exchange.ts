import { RawConnection } from './connection.js';
import { trackSecret } from './log.js';
import { until } from './until.js';

/** A raw answer. */
export interface RawAnswer {
  status: number;
  /** By name in lower case. */
  headers: Record<string, string>;
  text: string;
}

/** Sends the bytes of one request on a connection of its own, and reads the answer, which must have a Content-Length. */
export async function exchange(url: string, bytes: string): Promise<RawAnswer> {
  const connection = new RawConnection(url);
  await connection.write(bytes);
  await until(() => connection.isClosed || isWhole(connection.text), `a whole answer to ${bytes.split('\r\n')[0]}`);
  connection.destroy();
  const answer = answerIn(connection.text);
  trackSecret(/"secret_key":"(\w+)"/.exec(answer.text)?.[1]);
  return answer;
}

function answerIn(text: string): RawAnswer {
  const [head = '', ...body] = text.split('\r\n\r\n');
  const [line = '', ...lines] = head.split('\r\n');
  const headers = lines.map((header) => {
    const [name = '', value = ''] = header.split(/: ?(.*)/s, 2);
    return [name.toLowerCase(), value] as const;
  });
  return { status: Number(line.split(' ')[1]), headers: Object.fromEntries(headers), text: body.join('\r\n\r\n') };
}

function isWhole(text: string): boolean {
  if (!text.includes('\r\n\r\n')) return false;
  const { headers, text: body } = answerIn(text);
  return body.length >= Number(headers['content-length']);
}
