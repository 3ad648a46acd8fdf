import type { ArgumentMetadata, Type } from '@nestjs/common';
import { Type as TypeOf } from 'class-transformer';
import { IsInt, IsObject, IsString, ValidateBy, ValidateNested } from 'class-validator';
import { OptionalBody } from './optional-body.decorator.js';
import { Optional } from './optional.decorator.js';
import { type ProblemsWithin, type RequiredWithin, ValidationPipe } from './validation.pipe.js';

class InnerDto {
  @IsInt({ message: 'must be a whole number' })
  count: number;
}

const requiredWithin: RequiredWithin = { requiredWithin: ['count'] };
const problemsWithin: ProblemsWithin = {
  problemsWithin: (value) => (value === 'bad' ? [{ path: '0', message: 'must be good' }] : []),
};

class OuterDto {
  @IsString({ message: 'must be a string' })
  name: string;

  @TypeOf(() => InnerDto)
  @ValidateNested({ message: 'must be an object' })
  @IsObject({ message: 'must be an object', context: requiredWithin })
  inner: InnerDto;

  @Optional()
  @ValidateBy(
    { name: 'list', validator: { validate: (value) => Array.isArray(value) } },
    { message: 'must be a list', context: problemsWithin },
  )
  list?: unknown;
}

class LooseDto {
  @Optional()
  @IsString({ message: 'must be a string' })
  name?: string;
}

@OptionalBody()
class OmissibleDto extends LooseDto {}

const pipe = new ValidationPipe();
const transform = (metatype: Type<object> | undefined, value: unknown, type: ArgumentMetadata['type'] = 'body') =>
  pipe.transform(value, { type, metatype });
const problemsOf = async (...parameters: Parameters<typeof transform>) => {
  const error = await transform(...parameters).catch((cause: unknown) => cause);
  return (error as { details?: unknown }).details;
};

const VALID = { name: 'a', inner: { count: 1 } };

it('returns an instance of the DTO', async () => {
  const dto = (await transform(OuterDto, VALID)) as OuterDto;
  expect(dto).toBeInstanceOf(OuterDto);
  expect(dto.inner).toBeInstanceOf(InnerDto);
  expect(dto).toEqual(VALID);
});

it.each<[string, unknown, { path: string; message: string }[]]>([
  ['a value of another type', { ...VALID, name: 1 }, [{ path: 'name', message: 'must be a string' }]],
  [
    'a value in a nested DTO',
    { ...VALID, inner: { count: '1' } },
    [{ path: 'inner.count', message: 'must be a whole number' }],
  ],
  ['a list instead of a DTO', { ...VALID, inner: [{ count: 1 }] }, [{ path: 'inner', message: 'must be an object' }]],
  [
    'a missing DTO, with its required members',
    { name: 'a' },
    [
      { path: 'inner', message: 'must be an object' },
      { path: 'inner.count', message: 'is missing' },
    ],
  ],
  [
    'an unknown member',
    { ...VALID, names: 'b' },
    [{ path: 'names', message: 'is not a known property; name was probably meant' }],
  ],
  ['problems inside a value', { ...VALID, list: 'bad' }, [{ path: 'list.0', message: 'must be good' }]],
  ['null for an optional member', { ...VALID, list: null }, [{ path: 'list', message: 'must be a list' }]],
])('names %s by its path', async (_, value, problems) => {
  expect(await problemsOf(OuterDto, value)).toEqual(problems);
});

it('rejects a repeated parameter of a query', async () => {
  expect(await problemsOf(LooseDto, { name: ['a', 'b'] }, 'query')).toEqual([
    { path: 'name', message: 'is given more than once' },
  ]);
});

it('requires a body even if all of its members are optional, unless it is an optional body', async () => {
  expect(await problemsOf(LooseDto, undefined)).toEqual([
    { path: '', message: 'the body must be an object with any of name' },
  ]);
  expect(await transform(LooseDto, {})).toEqual({});
  expect(await transform(OmissibleDto, undefined)).toEqual({});
});

it.each<[string, Type<object> | undefined, ArgumentMetadata['type']]>([
  ['without a type', undefined, 'body'],
  ['of a built-in type', String, 'param'],
  ['of custom decorators', OuterDto, 'custom'],
])('does not validate parameters %s', async (_, metatype, type) => {
  expect(await transform(metatype, 'anything', type)).toBe('anything');
});
