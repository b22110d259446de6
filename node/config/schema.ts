/** What a setting may be. */
export type Schema =
  | { readonly type: 'integer'; readonly minimum: number; readonly maximum?: number }
  | { readonly type: 'string'; readonly minLength?: number; readonly pattern?: string }
  | { readonly type: 'number' }
  | { readonly type: 'boolean' }
  | { readonly type: 'enum'; readonly enum: readonly string[] };

type Of<Kind extends Schema['type']> = Omit<Extract<Schema, { type: Kind }>, 'type'>;

/** Ours, as a library for it is 12 MiB of every node's memory. */
export const Type = {
  Integer: (limits: Of<'integer'>) => ({ type: 'integer', ...limits }) as const,
  String: (limits: Of<'string'> = {}) => ({ type: 'string', ...limits }) as const,
  Number: () => ({ type: 'number' }) as const,
  Boolean: () => ({ type: 'boolean' }) as const,
  Enum: (choices: readonly string[]) => ({ type: 'enum', enum: choices }) as const,
};

export function matches(schema: Schema, value: unknown): boolean {
  switch (schema.type) {
    case 'integer':
      return isWithin(schema, value);
    case 'string':
      return (
        typeof value === 'string' &&
        value.length >= (schema.minLength ?? 0) &&
        new RegExp(schema.pattern ?? '', 'u').test(value)
      );
    case 'number':
      return Number.isFinite(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'enum':
      return schema.enum.includes(value as string);
  }
}

function isWithin({ minimum, maximum = Infinity }: Of<'integer'>, value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
}
