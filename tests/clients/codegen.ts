// Strict TypeScript types for every document of graphql_schema/operations, and their manifest.
import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../../graphql_schema/schema.graphql',
  documents: ['../../graphql_schema/operations/*.graphql'],
  generates: {
    './generated/': {
      preset: 'client',
      presetConfig: { persistedDocuments: { hashAlgorithm: 'sha256' } },
      config: {
        strictScalars: true,
        useTypeImports: true,
        scalars: { DateTime: 'string', Decimal: 'string', Long: 'number', TimeZone: 'string' },
      },
    },
  },
};

export default config;
