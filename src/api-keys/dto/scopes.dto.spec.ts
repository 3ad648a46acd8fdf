import type { Type } from '@nestjs/common';
import type { ValidationError } from '../../http/errors/api-error.js';
import { ValidationPipe } from '../../http/validation/validation.pipe.js';
import { adminScopesDto, AdminScopesDto, fullScopesDto, ScopesDto } from './scopes.dto.js';

/** Made up: `data.export` and the whole group `users` are new. */
const TREE = { data: ['list', 'export'], users: ['invite', 'ban'] };
const NEW = ['data.export', 'users.invite', 'users.ban'];

const Full = fullScopesDto(TREE, NEW);
const Strict = fullScopesDto(TREE, []);
const Admin = adminScopesDto(TREE);

/** The scopes as they are read, or what is wrong with them. */
async function read(dto: Type<object>, body: unknown): Promise<unknown> {
  try {
    const scopes = await new ValidationPipe().transform(body, { metatype: dto, type: 'body' });
    return JSON.parse(JSON.stringify(scopes));
  } catch (error) {
    const details = (error as ValidationError).details ?? [];
    return details.map(({ path, message }) => `${path} ${message}`);
  }
}

describe('the complete tree', () => {
  it('is read as it is given', async () => {
    const scopes = { admin: false, data: { list: true, export: true }, users: { invite: false, ban: true } };
    expect([await read(Full, scopes), await read(Strict, scopes)]).toEqual([scopes, scopes]);
  });

  it('takes a new flag that is left out for false, and so a new group', async () => {
    const complete = { admin: false, data: { list: true, export: false }, users: { invite: false, ban: false } };
    expect(await read(Full, { admin: false, data: { list: true } })).toEqual(complete);
    const partly = { admin: false, data: { list: true }, users: { ban: true } };
    expect(await read(Full, partly)).toEqual({ ...complete, users: { invite: false, ban: true } });
  });

  it.each<[string, object, string[]]>([
    ['a new flag that is null', { data: { list: true, export: null } }, ['data.export must be true or false']],
    ['a new flag that is text', { data: { list: true, export: 'yes' } }, ['data.export must be true or false']],
    ['a new group that is null', { data: { list: true }, users: null }, ['users must be an object with invite, ban']],
    ['a flag that is not new', { data: { export: true } }, ['data.list must be true or false']],
    ['an unknown flag', { data: { list: true, mint: true } }, ['data.mint is not a known property']],
    ['a group that is not new', {}, ['data must be an object with list, export', 'data.list is missing']],
  ])('reports %s', async (_, groups, problems) => {
    expect(await read(Full, { admin: false, ...groups })).toEqual(problems);
  });

  it('requires every flag and group that is not new', async () => {
    expect(await read(Strict, { data: { list: true } })).toEqual([
      'admin must be true or false',
      'data.export must be true or false',
      'users must be an object with invite, ban',
      'users.invite is missing',
      'users.ban is missing',
    ]);
  });
});

describe('the scopes of an admin key', () => {
  it.each([
    { admin: true },
    { admin: true, data: {} },
    { admin: true, data: { list: false }, users: { invite: true } },
  ])('are read as they are given: %j', async (scopes) => {
    expect(await read(Admin, scopes)).toEqual(scopes);
  });

  it('must be booleans where they are given', async () => {
    const problems = ['data.list must be true or false', 'users must be an object with invite, ban'];
    expect(await read(Admin, { admin: true, data: { list: null }, users: null })).toEqual(problems);
  });
});

it('makes DTOs of the tree of the platform', async () => {
  expect(await read(AdminScopesDto, { admin: true })).toEqual({ admin: true });
  const problems = await read(ScopesDto, { admin: false });
  expect(problems).toContain('pin_nft must be an object with unpin_nft, pin_nft_to_ipfs');
  expect(problems).toContain('pin_nft.unpin_nft is missing');
});
