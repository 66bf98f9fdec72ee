/**
 * What SPDX 2.3 (ISO/IEC 5962) requires of the parts a release uses, as a JSON Schema written from the clauses of the
 * specification: no package of the registry carries the official one. Unknown keys are refused, so that a
 * misspelt key cannot pass.
 */
const id = { type: 'string', pattern: '^SPDXRef-[A-Za-z0-9.-]+$' };
const license = {
  anyOf: [{ enum: ['NOASSERTION', 'NONE'] }, { type: 'string', pattern: '^[A-Za-z0-9.+()\\- ]+$' }],
};
const checksum = (algorithm: string, digits: number) => ({
  type: 'object',
  additionalProperties: false,
  required: ['algorithm', 'checksumValue'],
  properties: {
    algorithm: { const: algorithm },
    checksumValue: { type: 'string', pattern: `^[0-9a-f]{${digits}}$` },
  },
});

export const spdxSchema = {
  type: 'object',
  additionalProperties: false,
  // Clause 6.
  required: [
    'spdxVersion',
    'dataLicense',
    'SPDXID',
    'name',
    'documentNamespace',
    'creationInfo',
    'packages',
    'files',
    'relationships',
  ],
  properties: {
    spdxVersion: { const: 'SPDX-2.3' },
    dataLicense: { const: 'CC0-1.0' },
    SPDXID: { const: 'SPDXRef-DOCUMENT' },
    name: { type: 'string', minLength: 1 },
    documentNamespace: { type: 'string', format: 'uri', pattern: '^[^#]+$' },
    creationInfo: {
      type: 'object',
      additionalProperties: false,
      required: ['created', 'creators'],
      properties: {
        created: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$' },
        creators: {
          type: 'array',
          minItems: 1,
          items: { type: 'string', pattern: '^(Person|Organization|Tool): .+$' },
        },
      },
    },
    packages: {
      type: 'array',
      minItems: 1,
      // Clause 7.
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['SPDXID', 'name', 'downloadLocation', 'filesAnalyzed'],
        properties: {
          SPDXID: id,
          name: { type: 'string', minLength: 1 },
          versionInfo: { type: 'string', minLength: 1 },
          summary: { type: 'string' },
          downloadLocation: { const: 'NOASSERTION' },
          filesAnalyzed: { type: 'boolean' },
          packageVerificationCode: {
            type: 'object',
            additionalProperties: false,
            required: ['packageVerificationCodeValue'],
            properties: { packageVerificationCodeValue: { type: 'string', pattern: '^[0-9a-f]{40}$' } },
          },
          checksums: { type: 'array', minItems: 1, items: checksum('SHA256', 64) },
          sourceInfo: { type: 'string' },
          licenseConcluded: license,
          licenseDeclared: license,
          copyrightText: { type: 'string' },
          primaryPackagePurpose: { enum: ['LIBRARY', 'APPLICATION', 'OPERATING-SYSTEM'] },
          externalRefs: {
            type: 'array',
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['referenceCategory', 'referenceType', 'referenceLocator'],
              properties: {
                referenceCategory: { const: 'PACKAGE-MANAGER' },
                referenceType: { const: 'purl' },
                referenceLocator: { type: 'string', pattern: '^pkg:[a-z]+/[^@]+@[^@]+$' },
              },
            },
          },
        },
        // 7.8, 7.9: the verification code stands if and only if files were analyzed.
        if: { properties: { filesAnalyzed: { const: true } } },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { required: ['packageVerificationCode'] },
        else: { not: { required: ['packageVerificationCode'] } },
      },
    },
    files: {
      type: 'array',
      // Clause 8.
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['SPDXID', 'fileName', 'checksums'],
        properties: {
          SPDXID: id,
          fileName: { type: 'string', pattern: '^\\./' },
          // 8.4: SHA-1 is mandatory.
          checksums: {
            type: 'array',
            items: false,
            prefixItems: [checksum('SHA1', 40), checksum('SHA256', 64)],
            minItems: 2,
          },
          licenseConcluded: license,
          licenseInfoInFiles: { type: 'array', items: license },
          copyrightText: { type: 'string' },
        },
      },
    },
    relationships: {
      type: 'array',
      // Clause 11.
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['spdxElementId', 'relationshipType', 'relatedSpdxElement'],
        properties: {
          spdxElementId: id,
          relationshipType: { enum: ['DESCRIBES', 'CONTAINS', 'STATIC_LINK'] },
          relatedSpdxElement: id,
        },
      },
    },
  },
} as const;
