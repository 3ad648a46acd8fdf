import { namePattern } from './name-pattern.js';

it.each([
  ['äpfel', 'ÄPFEL'],
  ['ÄPFEL', 'äpfel'],
  ['straße', 'STRASSE'],
  ['σας', 'ΣΑΣ'],
  ['ключ', 'КЛЮЧ'],
  ['a.b*c\\d(e)[f]{2}^$|?+', 'A.B*C\\D(E)[F]{2}^$|?+'],
  ['100%_', '100%_'],
  ['钥匙 🔑', '钥匙 🔑'],
])('matches %s in any case', (text, written) => {
  expect(written).toMatch(new RegExp(namePattern(text)));
});

it.each([
  ['a.c', 'abc'],
  ['key_1', 'key-1'],
  ['apfel', 'äpfel'],
])('matches %s literally', (text, other) => {
  expect(other).not.toMatch(new RegExp(namePattern(text)));
});
