import { randomUUID } from 'node:crypto';
import { cascadeAnnouncement, exactUsesAnnouncement, isCascadeAnnouncement, keyOfExactUses } from './announcements.js';
import { mintApiKey } from '../credentials/credentials.js';

it('fits where an api_key does, and is taken for none, nor for one another', () => {
  const id = randomUUID();
  const [cascade, uses, apiKey] = [cascadeAnnouncement('ann'), exactUsesAnnouncement(id), mintApiKey()];
  for (const text of [cascade, uses]) expect(text).toHaveLength(24);
  expect([cascade, uses, apiKey].map(isCascadeAnnouncement)).toEqual([true, false, false]);
  expect([cascade, uses, apiKey].map(keyOfExactUses)).toEqual([undefined, id, undefined]);
});

it('tells owners apart', () => {
  expect(cascadeAnnouncement('ann')).toBe(cascadeAnnouncement('ann'));
  expect(cascadeAnnouncement('ann')).not.toBe(cascadeAnnouncement('anna'));
});
