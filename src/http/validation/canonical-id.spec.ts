import { withCanonicalIds } from './canonical-id.js';

const ID = '01a20b9d-c4d9-7123-b878-6eb9911deb3f';

it('puts ids into lower case, wherever they occur', () => {
  for (const id of [ID, ID.toUpperCase(), ID.replace('a20b', 'A20b')]) {
    expect(withCanonicalIds(id)).toBe(ID);
    expect(withCanonicalIds(`key:${id}`)).toBe(`key:${ID}`);
  }
});

it('does not change other texts', () => {
  for (const text of ['', 'Session', 'KEY.UPDATED', ID.toUpperCase().slice(1)])
    expect(withCanonicalIds(text)).toBe(text);
});
