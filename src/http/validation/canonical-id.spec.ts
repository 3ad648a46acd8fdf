import { withCanonicalIds } from './canonical-id.js';

const ID = '01a20b9d-c4d9-7123-b878-6eb9911deb3f';

it('spells an id in lower case, wherever it is', () => {
  for (const id of [ID, ID.toUpperCase(), ID.replace('a20b', 'A20b')]) {
    expect(withCanonicalIds(id)).toBe(ID);
    expect(withCanonicalIds(`key:${id}`)).toBe(`key:${ID}`);
  }
});

it('leaves what is no id as it is', () => {
  for (const text of ['', 'Session', 'KEY.UPDATED', ID.toUpperCase().slice(1)])
    expect(withCanonicalIds(text)).toBe(text);
});
