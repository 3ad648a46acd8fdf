import { randomUUID } from 'node:crypto';
import { cascadeAnnouncement, exactUsesAnnouncement, isCascadeAnnouncement, keyOfExactUses } from './announcements.js';
import { mintApiKey } from '../credentials/credentials.js';

it('has the length of an api_key, and is distinct from it and from other announcements', () => {
  const id = randomUUID();
  const [cascade, uses, apiKey] = [cascadeAnnouncement('ann'), exactUsesAnnouncement(id), mintApiKey()];
  for (const text of [cascade, uses]) expect(text).toHaveLength(24);
  expect([cascade, uses, apiKey].map(isCascadeAnnouncement)).toEqual([true, false, false]);
  expect([cascade, uses, apiKey].map(keyOfExactUses)).toEqual([undefined, id, undefined]);
});

it('distinguishes owners', () => {
  expect(cascadeAnnouncement('ann')).toBe(cascadeAnnouncement('ann'));
  expect(cascadeAnnouncement('ann')).not.toBe(cascadeAnnouncement('anna'));
});
